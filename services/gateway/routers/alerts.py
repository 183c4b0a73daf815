"""Alerts and the rules that raise them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.gateway import audit
from services.gateway.dependencies import Admin, Database, Operator, Rules, Viewer
from services.gateway.filters import UnboundedFilters
from services.gateway.models import Alert, AlertPage, AlertRule, AlertRuleDraft
from services.gateway.queries import alerts

router = APIRouter(tags=["alerts"])


@router.get("/alerts")
async def list_alerts(
    user: Viewer,
    db: Database,
    filters: UnboundedFilters,
    status: Literal["open", "resolved"] | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> AlertPage:
    """Newest first; without `from` and `to` those of all time."""
    return await alerts.read_alerts(db, filters, status, cursor, limit)


@router.get("/alerts/{alert_id}")
async def get_alert(alert_id: str, user: Viewer, db: Database) -> Alert:
    return await alerts.read_alert(db, alert_id)


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(alert_id: str, user: Operator, db: Database) -> Alert:
    """The first acknowledgement stays; another changes nothing and answers with the first."""
    if await alerts.acknowledge_alert(db, alert_id, user.email):
        await audit.record(db, user.email, "acknowledge", alert_id)
    return await alerts.read_alert(db, alert_id)


@router.get("/alert-rules")
async def list_rules(user: Viewer, rules: Rules) -> list[AlertRule]:
    return [_shown(rule) for rule in await rules.read_all()]


@router.post("/alert-rules", status_code=201)
async def create_rule(draft: AlertRuleDraft, user: Admin, db: Database, rules: Rules) -> AlertRule:
    rule = await rules.create(draft)
    await audit.record(db, user.email, "rule_created", rule.rule_id, **draft.model_dump())
    return _shown(rule)


@router.get("/alert-rules/{rule_id}")
async def get_rule(rule_id: str, user: Viewer, rules: Rules) -> AlertRule:
    return _shown(await rules.read(rule_id))


@router.put("/alert-rules/{rule_id}")
async def change_rule(rule_id: str, draft: AlertRuleDraft, user: Admin, db: Database, rules: Rules) -> AlertRule:
    rule = await rules.change(rule_id, draft)
    await audit.record(db, user.email, "rule_changed", rule.rule_id, **draft.model_dump())
    return _shown(rule)


@router.delete("/alert-rules/{rule_id}", status_code=204)
async def delete_rule(rule_id: str, user: Admin, db: Database, rules: Rules) -> None:
    rule = await rules.delete(rule_id)
    await audit.record(db, user.email, "rule_deleted", rule.rule_id)


def _shown(rule: object) -> AlertRule:
    return AlertRule.model_validate(rule, from_attributes=True)
