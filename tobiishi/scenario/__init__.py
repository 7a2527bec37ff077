"""The scenario language: read, check, plan. Pure: no clock, no database, no network."""

from tobiishi.scenario.advice import advice_on
from tobiishi.scenario.conditions import Choice, FriendFacts, audiences_of, choose, evaluate
from tobiishi.scenario.messages import (
    FRIEND_FIELDS,
    empty_texts,
    own_fields,
    render,
    uses_profile,
)
from tobiishi.scenario.model import AfterDays, Reentry, Scenario, Send, Step, json_schema
from tobiishi.scenario.numbers import noting
from tobiishi.scenario.planning import (
    branch_at,
    first_plan,
    past_in_words,
    plan_after,
    plan_again,
    plan_end,
    plan_to_wait,
    plan_way,
    send_at,
    spread_out,
    step_at,
    tag_at,
    wait_for_at,
    when_to_send,
)
from tobiishi.scenario.source import (
    Problem,
    ScenarioError,
    ScenarioSource,
    read,
    read_mapping,
    read_scenario,
)

__all__ = [
    "FRIEND_FIELDS",
    "AfterDays",
    "Choice",
    "FriendFacts",
    "Problem",
    "Reentry",
    "Scenario",
    "ScenarioError",
    "ScenarioSource",
    "Send",
    "Step",
    "advice_on",
    "audiences_of",
    "branch_at",
    "choose",
    "empty_texts",
    "evaluate",
    "first_plan",
    "json_schema",
    "noting",
    "own_fields",
    "past_in_words",
    "plan_after",
    "plan_again",
    "plan_end",
    "plan_to_wait",
    "plan_way",
    "read",
    "read_mapping",
    "read_scenario",
    "render",
    "send_at",
    "spread_out",
    "step_at",
    "tag_at",
    "uses_profile",
    "wait_for_at",
    "when_to_send",
]
