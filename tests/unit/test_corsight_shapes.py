"""What an export looks like after spreadsheets and screenshots, and what is made of it."""

import pytest

from services.common.corsight.columns import EXPORT, MAX_COLUMNS, fused_names, map_columns
from services.common.corsight.files import UnusableFileError
from services.common.corsight.shapes import shape_of
from tests.support.corsight import read, rows

REQUIRED = ["person_id", "camera_id", "utc_time_started", "utc_time_ended"]
PERSON, CAMERA, TRACK = (f"{n}b617256-1234-4000-8000-{n:012}" for n in (1, 2, 3))
START, END = "2026-03-09 10:00:00", "2026-03-09 10:01:00"

# As it was typed from a picture of a spreadsheet: names cut, fused and shifted against the cells.
TYPED_HEADER = (
    "person_id,retain,appearance,labeled_ou,event_type,event_id,utc_time_re,utc_time_reappearance,utc_time_st,"
    "utc_time_st,utc_time_e,utc_time_e,first_frame,last_frame_attributes_i,camera_id,camera_de,node_id,analysis_mi,"
    "record_frar,matching_is,camera_grc,camera_grczone_name,zone_id,zone_vertic,face_score,frame_id,frame_time,"
    "frame_time,bbox_x1,bbox_y1,bbox_x2,bbox_y2,watchlist_ty,watchlist_d,watchlist_d,watchlist_s,"
    "match_outrage_group_gender_out,liveness_ou,mask_outco"
)
TYPED_ROW = (
    "db617256-1234,FALSE,3,not_review,appearance,4661715f-3,1754000000,1754000000,7ec987e4-3,1754000000,1754000000,"
    "1754000000,7789,7848,not_detern,991db544-5,Video 1,live,FALSE,FALSE,,,Cashier que,3bd0b9ee-:[{x: 0.196,89.8745340,"
    "7828,1754000000,1754000000,1024,597,1066,641,whitelist,Staff,Ind,#dc0000,0,not_determ,not_determined"
)


def fields_of(*header: str, row_width: int | None = None) -> dict[str, int]:
    return dict(map_columns(header, row_width).fields)


class TestCutNames:
    @pytest.mark.parametrize(
        ("cell", "field"),
        [
            ("camera_de", "camera_description"),
            ("match_out", "match_outcome"),
            ("age_group_o", "age_group"),
            ("gender_o", "gender"),
            ("utc_time_started_r", "utc_time_started_readable"),
            ("camera_group_data_group_depart", "department"),
            ("camera_group_data_group_n", "camera_group"),
        ],
    )
    def test_a_beginning_that_fits_one_name_means_it(self, cell: str, field: str) -> None:
        columns = map_columns(["person_id", "camera_id", "utc_time_started", "utc_time_ended", cell])
        assert columns.fields[field] == 4
        assert columns.columns[4].how == "truncated"
        assert 0 < columns.columns[4].confidence < 1
        assert any(f"({cell}) is taken for" in warning for warning in columns.warnings)

    def test_names_cut_alike_are_told_apart_by_their_order(self) -> None:
        fields = fields_of("person_id", "utc_time_st", "utc_time_st", "utc_time_e", "utc_time_e", "camera_id")
        assert [fields[name] for name in EXPORT if name.startswith(("utc_time_s", "utc_time_e"))] == [1, 2, 3, 4]

    def test_one_of_two_times_of_the_same_moment_is_enough(self) -> None:
        assert fields_of("utc_time_st", "utc_time_e") == {"utc_time_started": 0, "utc_time_ended": 1}

    def test_what_is_there_in_full_is_not_meant_again(self) -> None:
        fields = fields_of("utc_time_started", "utc_time_st")
        assert fields == {"utc_time_started": 0, "utc_time_started_readable": 1}

    @pytest.mark.parametrize("cell", ["utc_time", "camera_", "camera_gr", "appearance", "person_idx", "gender_"])
    def test_a_beginning_that_fits_several_meanings_or_is_short_means_none(self, cell: str) -> None:
        columns = map_columns([*REQUIRED, cell])
        assert len(columns.fields) == 4
        assert columns.extra == {4: cell}

    def test_a_cut_file_is_read(self) -> None:
        header = "person_i,camera_id,utc_time_st,utc_time_st,utc_time_e,utc_time_e,camera_de"
        (item,) = read(rows(f"p1,c1,1773050400,{START},1773050460,{END},Door", header=header)).items
        assert (item.person_id, item.camera_description) == ("p1", "Door")
        assert (item.ended_at - item.started_at).total_seconds() == 60


class TestFusedNames:
    @pytest.mark.parametrize(
        ("cell", "names"),
        [
            ("utc_time_reappearance", ["utc_time_re", "appearance"]),
            ("camera_grczone_name", ["camera_gr", "zone_name"]),
            ("camera_grc_zone_name", ["camera_gr", "zone_name"]),
            ("camera_de_node_id", ["camera_de", "node_id"]),
            ("appearance_utc_time_s", ["appearance", "utc_time_s"]),
            ("utc_time_e_first_frame_last", ["utc_time_e", "first_frame"]),
            ("match_outrage_group_gender_out", ["match_out", "age_group", "gender_out"]),
            ("zone_verific_face_score", ["zone_ver", "face_score"]),
            ("utc_time_started_readable", []),
            ("camera_group_data_group_name", []),
            ("camera_group_data_group_lantai", []),
            ("camera_description", []),
            ("anything_else", []),
            ("", []),
        ],
    )
    def test_are_recognised(self, cell: str, names: list[str]) -> None:
        assert fused_names(cell) == names

    def test_are_taken_apart_where_the_rows_have_a_cell_for_each(self) -> None:
        columns = map_columns(["person_id", "camera_id", "utc_time_stutc_time_e", "zone_name"], row_width=5)
        assert dict(columns.fields) == {
            "person_id": 0, "camera_id": 1, "utc_time_started": 2, "utc_time_ended": 3, "zone": 4,
        }  # fmt: skip
        assert [column.how for column in columns.columns] == ["exact", "exact", "fused", "fused", "alias"]
        header = "person_id,camera_id,utc_time_stutc_time_e,zone_name"
        (item,) = read(rows(f"p1,c1,{START},{END},Queue", header=header)).items
        assert item.zone == "Queue"

    def test_are_kept_as_they_are_where_they_have_one(self) -> None:
        columns = map_columns([*REQUIRED, "camera_de_node_id"], row_width=5)
        assert columns.extra == {4: "camera_de_node_id"}
        assert columns.columns[4].how == "fused"
        assert columns.columns[4].field is None
        assert columns.warnings == ["column 5 (camera_de_node_id) bears 2 names and is kept as it is"]


class TestGroupColumns:
    @pytest.mark.parametrize(
        ("cell", "field"),
        [
            ("camera_group_data_group_name", "camera_group"),
            ("camera_group_data_name", "camera_group"),
            ("camera_group_data_departemen", "department"),
            ("camera_group_data_group_department", "department"),
            ("Camera_Group_Data_Divisi", "division"),
            ("camera_group_data_group_division", "division"),
        ],
    )
    def test_say_where_a_camera_is(self, cell: str, field: str) -> None:
        assert map_columns([*REQUIRED, cell]).fields[field] == 4

    def test_any_other_property_is_kept(self) -> None:
        header = ",".join([*REQUIRED, "camera_group_data_floor", "camera_group_data_group_area"])
        result = read(rows(f"p1,c1,{START},{END},2,North", header=header))
        assert result.items[0].extra == {"camera_group_data_floor": "2", "camera_group_data_group_area": "North"}
        assert result.warnings == [
            "column 6 (camera_group_data_group_area) is a camera-group property that is not known"
        ]


class TestShapes:
    @pytest.mark.parametrize(
        ("text", "shape"),
        [
            (PERSON, "an id"), ("4661715f-3", "an id"), ("db617256-1234", "an id"), ("p1", "a text"), ("007", "a text"),
            (START, "a time"), ("7/28/2025 9:55", "a time"), ("2025-13-45 99:99", "a time"), ("soon", "a text"),
            ("1754000000", "an epoch"), ("1.754E+09", "an epoch"), ("1754000000123.5", "an epoch"), ("85.9", "a text"),
            ('[{"x": 1', "JSON"), ("{}", "JSON"), ("{name}", "a text"), ("[red] door", "a text"),
            ("FALSE", "a flag"), ("not_detern", "an outcome"), ("Whitelist", "an outcome"), ("20-29", "a text"),
        ],
    )  # fmt: skip
    def test_a_text_has_one(self, text: str, shape: str) -> None:
        assert shape_of(text) == shape

    @pytest.mark.parametrize(
        ("row", "column", "expected", "found"),
        [
            (f"{PERSON},{CAMERA},{TRACK},{END}", "column 3 (utc_time_started)", "a time", "an id"),
            (f"{PERSON},{START},{START},{END}", "column 2 (camera_id)", "an id", "a time"),
            (f"FALSE,{CAMERA},{START},{END}", "column 1 (person_id)", "an id", "a flag"),
            (f"{PERSON},not_determined,{START},{END}", "column 2 (camera_id)", "an id", "an outcome"),
            (f"{PERSON},{CAMERA},{START},TRUE", "column 4 (utc_time_ended)", "a time", "a flag"),
        ],
    )
    def test_a_file_with_shifted_columns_is_refused_with_a_report(
        self, row: str, column: str, expected: str, found: str
    ) -> None:
        with pytest.raises(UnusableFileError, match="shifted") as refused:
            read(rows(*[row] * 3, header=",".join(REQUIRED)))
        assert refused.value.status == 422
        assert f"{column} should hold {expected} and holds {found}" in str(refused.value)

    def test_a_few_odd_values_shift_nothing(self) -> None:
        good, odd = f"{PERSON},{CAMERA},{START},{END}", f"{PERSON},{CAMERA},{TRACK},{END}"
        result = read(rows(good, odd, good, header=",".join(REQUIRED)))
        assert len(result.items) == 2
        assert result.reasons == [(3, "bad_timestamp")]

    def test_the_odd_cells_of_one_row_in_columns_otherwise_blank_shift_nothing(self) -> None:
        good = f"{PERSON},{CAMERA},{START},{END},,"
        odd = f'{PERSON},{CAMERA},{START},{END},{PERSON},"[""a""]"'
        result = read(rows(odd, good, good, header=",".join([*REQUIRED, "gender", "camera_description"])))
        assert len(result.items) == 3

    def test_one_column_that_is_not_needed_is_only_warned_of(self) -> None:
        result = read(rows(f"{PERSON},{CAMERA},{START},{END},{TRACK}", header=",".join([*REQUIRED, "gender_outcome"])))
        assert len(result.items) == 1
        assert "column 5 (gender_outcome, taken for gender) should hold an outcome" in result.warnings[0]

    def test_several_such_columns_are_a_shift(self) -> None:
        header = ",".join([*REQUIRED, "retain", "zone_vertices"])
        with pytest.raises(UnusableFileError, match=r"column 5 \(retain\).*column 6 \(zone_vertices\)"):
            read(rows(f"{PERSON},{CAMERA},{START},{END},{TRACK},TRUE", header=header))

    def test_the_typed_sheet_is_refused(self) -> None:
        with pytest.raises(UnusableFileError) as refused:
            read(rows(*[TYPED_ROW] * 3, header=TYPED_HEADER))
        assert "column 9 (utc_time_st, taken for utc_time_started) should hold a time and holds an id" in str(
            refused.value
        )
        assert "column 15 (camera_id) should hold an id and holds an outcome (“not_detern”)" in str(refused.value)


class TestSpreadsheetDamage:
    def test_cut_ids_are_no_keys_of_appearances(self) -> None:
        header = ",".join([*REQUIRED, "appearance_id"])
        cut = [f"p{n},c1,{START},{END},4661715f-3" for n in range(3)]
        result = read(rows(*cut, header=header))
        assert len({item.appearance_key for item in result.items}) == 3
        assert {item.appearance_id for item in result.items} == {None}
        assert result.items[0].extra == {"appearance_id": "4661715f-3"}
        assert result.warnings == [
            "the ids in appearance_id are cut: they do not tell appearances apart and are not used"
        ]

    def test_cut_ids_of_people_are_warned_of(self) -> None:
        result = read(rows(f"db617256-1234,c1,{START},{END}", header=",".join(REQUIRED)))
        assert result.items[0].person_id == "db617256-1234"
        assert result.warnings == ["the ids in person_id are cut: different ones may count as one"]

    @pytest.mark.parametrize("key", [TRACK, "a1", "20260309-1", "track-7"])
    def test_whole_ids_are_trusted(self, key: str) -> None:
        result = read(rows(f"p1,c1,{START},{END},{key}", header=",".join([*REQUIRED, "appearance_id"])))
        assert result.items[0].appearance_key == key
        assert result.warnings == []

    def test_epochs_that_a_spreadsheet_rounded_are_refused_and_never_guessed(self) -> None:
        result = read(rows(*["p1,c1,1754000000,1754000000"] * 2, header=",".join(REQUIRED)))
        assert result.reasons == [(2, "timestamp_precision_lost"), (3, "timestamp_precision_lost")]
        assert result.rejects[0].raw == b"p1,c1,1754000000,1754000000"
        assert "the epochs of utc_time_started were rounded by a spreadsheet" in result.warnings[0]

    def test_the_readable_times_beside_them_are_used(self) -> None:
        header = ",".join([*REQUIRED, "utc_time_started_readable", "utc_time_ended_readable"])
        result = read(rows(*[f"p1,c1,1754000000,1754000000,{START},{END}"] * 2, header=header))
        assert [(item.ended_at - item.started_at).total_seconds() for item in result.items] == [60, 60]

    def test_one_round_epoch_is_a_time(self) -> None:
        result = read(rows("p1,c1,1754000000,1754000060", "p2,c1,1754000000,1754000060", header=",".join(REQUIRED)))
        assert len(result.items) == 2


class TestHeaderLine:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_excel_may_say_the_delimiter(self, delimiter: str) -> None:
        header, row = delimiter.join(REQUIRED), delimiter.join(["p1", "c1", START, END])
        (item,) = read(f"sep={delimiter}\n{header}\n{row}\n").items
        assert item.source == "upload:u1#3"

    def test_a_header_of_too_many_columns_is_refused(self) -> None:
        with pytest.raises(UnusableFileError, match=f"{MAX_COLUMNS + 4:,} columns"):
            read(",".join([*REQUIRED, *["x"] * MAX_COLUMNS]) + "\n1\n")

    def test_a_million_columns_are_no_header(self) -> None:
        with pytest.raises(UnusableFileError, match="no header"):
            read(",".join([*REQUIRED, *["x"] * 1_000_000]) + "\n1\n")
