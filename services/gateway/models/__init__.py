"""What the HTTP interface answers: one pydantic model a resource, the source of the OpenAPI document."""

from services.gateway.models.alerts import Alert, AlertPage, AlertRule, AlertRuleDraft
from services.gateway.models.analytics import (
    Change,
    DemographicGroup,
    Demographics,
    DwellHistogram,
    HistogramBin,
    OccupancyPoint,
    OccupancyTimeline,
    Summary,
)
from services.gateway.models.catalog import FilterCamera, FilterOptions, Live, Source, Sources
from services.gateway.models.insights import (
    Correlation,
    InsightHour,
    InsightHours,
    MergedInsight,
    MergedInsightDetail,
    MergedInsightPage,
)
from services.gateway.models.people import LoginRequest, LoginResponse, Role, User
from services.gateway.models.preview import UploadPreview
from services.gateway.models.problems import Problem
from services.gateway.models.quarantine import QuarantineItem, QuarantinePage
from services.gateway.models.sessions import Session, SessionPage
from services.gateway.models.uploads import (
    Upload,
    UploadDecision,
    UploadPage,
    UploadPhase,
    UploadStatus,
    UploadSummary,
)

__all__ = [
    "Alert",
    "AlertPage",
    "AlertRule",
    "AlertRuleDraft",
    "Change",
    "Correlation",
    "DemographicGroup",
    "Demographics",
    "DwellHistogram",
    "FilterCamera",
    "FilterOptions",
    "HistogramBin",
    "InsightHour",
    "InsightHours",
    "Live",
    "LoginRequest",
    "LoginResponse",
    "MergedInsight",
    "MergedInsightDetail",
    "MergedInsightPage",
    "OccupancyPoint",
    "OccupancyTimeline",
    "Problem",
    "QuarantineItem",
    "QuarantinePage",
    "Role",
    "Session",
    "SessionPage",
    "Source",
    "Sources",
    "Summary",
    "Upload",
    "UploadDecision",
    "UploadPage",
    "UploadPhase",
    "UploadPreview",
    "UploadStatus",
    "UploadSummary",
    "User",
]
