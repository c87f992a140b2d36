"""Where we differ from others on purpose, and why."""

from __future__ import annotations

from tests.conformance.comparing import Explanation

_AT_THE_ENDPOINT = (
    "FAR227 reports the endpoint whose `responses` lack the status, not the helper that raises it"
)
_IS_422 = "FastAPI documents 422 by itself"
_NESTED = (
    "a coroutine function inside of an endpoint is no FastAPI code by itself; where the endpoint "
    "awaits it, FAR602 reports"
)
_LAMBDA = "a lambda blocks when it is called, which need not be here or in this thread"

EXPLANATIONS: tuple[Explanation, ...] = (
    # -- Sonar S8410, Annotated -------------------------------------------------------------
    Explanation(
        "S8410",
        r"Annotated\[str, dependency_instance\]",
        "both the annotation and the default hold a Depends: FastAPI refuses it (AssertionError), "
        "so it is FAR306 that reports",
    ),
    Explanation(
        "S8410",
        r"def not_a_route_handler\(db = Depends",
        "a Depends default belongs in the annotation in every function, for FAR301 by definition",
        kind="ours",
    ),
    Explanation(
        "S8410",
        r"def read_items\(q = some_value\)",
        "the default is a Query by way of a variable; to FastAPI it is the same",
        kind="ours",
    ),
    # -- Sonar S8415, undocumented HTTPException --------------------------------------------
    Explanation("S8415", r"def multiple_same_status_code_undocumented\(", _IS_422),
    Explanation("S8415", r"def exception_in_try_except_block\(", _IS_422),
    Explanation("S8415", r"def router_patch_method\(", _IS_422),
    Explanation("S8415", r"def helper_with_exception\(", _AT_THE_ENDPOINT),
    Explanation("S8415", r"def nested_helper_level_[12]\(", _AT_THE_ENDPOINT),
    Explanation("S8415", r"def inner_function2\(", _AT_THE_ENDPOINT),
    Explanation("S8415", r"def called_function\(", _AT_THE_ENDPOINT),
    Explanation("S8415", r"def endpoint_calling_\w+\(", _AT_THE_ENDPOINT, kind="ours"),
    Explanation("S8415", r"def exception_with_inner_function\(", _AT_THE_ENDPOINT, kind="ours"),
    Explanation("S8415", r"def call_same_function_twice_\w+\(", _AT_THE_ENDPOINT, kind="ours"),
    Explanation(
        "S8415",
        r"def raise_exception_instance\(",
        "the instance is a module's constant with a known status, Sonar does not follow it",
        kind="ours",
    ),
    Explanation(
        "S8415",
        r"def positional_status_code_overflow_literal\(",
        "no status at all, and documented nowhere; Sonar guards its own integer type",
        kind="ours",
    ),
    # -- Sonar, blocking calls ---------------------------------------------------------------
    Explanation("S7488", r"def noncompliant_lambda_\w+\(", _LAMBDA),
    Explanation(
        "S7493",
        r"def tempfile_spooledtemporaryfile_noncompliant\(",
        "a SpooledTemporaryFile is memory until `max_size` is reached: opening it does not block",
    ),
    Explanation(
        "S7493",
        r"def io_open_noncompliant\(",
        "`io.open` is `open`; the fixture calls Sonar's silence a false negative",
        kind="ours",
    ),
    Explanation("S7499", r"def inner_function\(", _NESTED),
    Explanation("S7499", r"def async_generator\(", _NESTED),
    Explanation(
        "S7499",
        r"def test_client_created_outside\(",
        "a synchronous httpx client blocks; the fixture calls Sonar's silence a false negative",
        kind="ours",
    ),
    # -- evloop-lint -------------------------------------------------------------------------
    Explanation(
        "EVL001",
        r"main",
        "a callback that is handed to the loop is no call in the endpoint",
        path="*evloop_test_call_soon_sync_blocker_flagged/*",
    ),
    Explanation(
        "EVL001",
        r"main",
        "a callback that is handed to the loop is no call in the endpoint",
        path="*evloop_test_fn_partial_wrapped_scheduled_callback/*",
    ),
    Explanation(
        "EVL001",
        r"main",
        "what `async with` calls is a coroutine function; FAR602 follows calls of plain functions",
        path="*evloop_test_fn_async_cm_aenter_blocker/*",
    ),
)
