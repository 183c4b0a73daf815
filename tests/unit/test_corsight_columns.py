import pytest

from services.common.corsight.columns import map_columns, normalise_header

HEADER = (
    "person_id,retain,appearance_category,labeled_outcome,event_type,event_id,utc_time_recorded,"
    "utc_time_recorded_readable,appearance_id,utc_time_started,utc_time_started_readable,utc_time_ended,"
    "utc_time_ended_readable,first_frame_id,last_frame_id,camera_id,camera_description,node_id,analysis_mode,"
    "camera_group_data_group_name,camera_group_data_group_departemen,camera_group_data_group_divisi,zone_name,"
    "face_score,match_outcome,age_group_outcome,gender_outcome,liveness_outcome,mask_outcome"
)
FULL = HEADER.split(",")
REQUIRED = ["person_id", "camera_id", "utc_time_started", "utc_time_ended"]


class TestHeaderCells:
    @pytest.mark.parametrize("cell", ["person_id", "Person ID", " PERSON_ID ", "\ufeffperson_id", '"Person-Id"'])
    def test_match_in_any_spelling(self, cell: str) -> None:
        assert normalise_header(cell) == "person_id"


class TestMapping:
    def test_knows_the_vendors_full_header(self) -> None:
        columns = map_columns(FULL)
        assert columns.missing == []
        assert columns.warnings == []
        by_name = {name: FULL[position] for name, position in columns.fields.items()}
        assert by_name["camera_group"] == "camera_group_data_group_name"
        assert by_name["department"] == "camera_group_data_group_departemen"
        assert by_name["division"] == "camera_group_data_group_divisi"
        assert by_name["zone"] == "zone_name"
        assert by_name["age_group"] == "age_group_outcome"
        assert by_name["gender"] == "gender_outcome"

    def test_every_column_is_a_field_or_an_extra(self) -> None:
        columns = map_columns(FULL)
        assert sorted([*columns.fields.values(), *columns.extra]) == list(range(len(FULL)))
        assert columns.extra[FULL.index("face_score")] == "face_score"

    def test_takes_the_names_of_other_feeds(self) -> None:
        columns = map_columns(["person_id", "camera_id", "utcconvert_time_started", "utcconvert_time_ended"])
        assert columns.missing == []
        assert {"utc_time_started_readable", "utc_time_ended_readable"} <= columns.fields.keys()

    @pytest.mark.parametrize("absent", REQUIRED)
    def test_tells_which_required_column_is_missing(self, absent: str) -> None:
        columns = map_columns([name for name in REQUIRED if name != absent])
        assert columns.missing == [absent if absent.endswith("_id") else f"{absent}_readable"]

    def test_one_of_the_two_columns_of_a_time_is_enough(self) -> None:
        assert map_columns(["person_id", "camera_id", "utc_time_started_readable", "utc_time_ended"]).missing == []

    def test_of_a_repeated_column_the_first_stands_and_the_other_is_kept(self) -> None:
        columns = map_columns([*REQUIRED, "Camera ID", "face_score", "face_score"])
        assert columns.fields["camera_id"] == 1
        assert columns.extra == {4: "camera_id", 5: "face_score", 6: "face_score.2"}
        assert columns.warnings == ["column 5 (Camera ID) repeats camera_id and is not used"]

    def test_a_fields_own_name_wins_over_its_alias(self) -> None:
        columns = map_columns([*REQUIRED, "age_group_outcome", "age_group"])
        assert columns.fields["age_group"] == 5
        assert columns.extra == {4: "age_group_outcome"}

    def test_warns_of_a_camera_group_property_that_is_not_known(self) -> None:
        columns = map_columns([*REQUIRED, "camera_group_data_group_lantai"])
        assert columns.warnings == [
            "column 5 (camera_group_data_group_lantai) is a camera-group property that is not known"
        ]
        assert columns.extra == {4: "camera_group_data_group_lantai"}

    def test_a_column_without_a_name_gets_one(self) -> None:
        assert map_columns([*REQUIRED, "", " "]).extra == {4: "column_5", 5: "column_6"}
