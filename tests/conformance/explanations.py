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

_ALIAS = "the parameter is bound by the dependency behind an Annotated alias of another module"
_BY_REQUEST = "the permission class behind the dependency reads it from `request.path_params`"
_UNKNOWN_VALUE = "what the call returns is not known, it may be None"
_OWN_RESPONSE = "the value is a Response of the author's own, which FastAPI passes on as it is"

EXPLANATIONS: tuple[Explanation, ...] = (
    # -- ruff FAST003 on real projects -------------------------------------------------------
    Explanation(
        "FAST003",
        r"def (create_case_channel|escalate_case|generate_tactical_report|generate_summary)\(",
        _ALIAS,
        path="*Netflix__dispatch*",
    ),
    Explanation(
        "FAST003",
        r"def (delete_feedback|update_forms_type|update_forms|delete_form)\(",
        _BY_REQUEST,
        path="*Netflix__dispatch*",
    ),
    Explanation(
        "FAST003",
        r"def get_engagement\(",
        "ruff is right, but the dependency of the include hands the request on to a plugin that "
        "cannot be told and might read the parameter: we are silent on doubt",
        path="*Netflix__dispatch*",
    ),
    Explanation("FAST003", r"", _ALIAS, path="*TracecatHQ__tracecat*/integrations/router.py"),
    Explanation(
        "FAST003",
        r"def api_key_(path|conflict)_route\(",
        "the helper returns one of many dependencies, and some read it from `request.path_params`",
        path="*TracecatHQ__tracecat*",
    ),
    # -- Sonar S8389, bodies beside uploads ---------------------------------------------------
    Explanation(
        "S8389",
        r"def (multi_decorator|optional_file|multiple_files|sync_fn|async_fn|put_endpoint"
        r"|patch_endpoint|delete_endpoint|mixed_params|both_issues|path_param_with_file"
        r"|type_annotation_file_without_default_value|starlette_upload)\(",
        "beside a file FastAPI reads `Body()` from the form, too: a plain value works (tried with "
        "0.165), only what must be JSON fails",
    ),
    Explanation(
        "S8389",
        r"def (submit_with_depends|submit_explicit_depends|empty_depends_with_annotation)\(",
        "`Depends(Model)` takes the fields from the query: that works; secrets there are FAR718's",
    ),
    # -- Sonar S8392, S8396 ---------------------------------------------------------------------
    Explanation("S8392", r"def flask_tests\(", "an app of Flask's is none of FastAPI's"),
    Explanation(
        "S8396",
        r"(None \||\| None|Union\[str, None\]|= Field\((\.\.\.)?\))",
        "to Pydantic `T | None`, `None | T` and `Union[T, None]` are `Optional[T]`, and `Field()` "
        "without a default makes the field required just as well",
        kind="ours",
    ),
    Explanation(
        "S8397",
        r"def unpacked_workers_compliant\(",
        "the dictionary is written down two lines above: uvicorn gets `workers=2` and exits",
        kind="ours",
    ),
    # -- Sonar S7502, tasks -------------------------------------------------------------------
    Explanation(
        "S7502",
        r"def compliant_examples\(",
        "a local name that nothing reads is gone when the function returns (as RUF006 has it, too)",
        kind="ours",
    ),
    # -- Sonar S5659, tokens ------------------------------------------------------------------
    Explanation(
        "S5659",
        r"def (noncompliant_jw[st]_get_unverified_headers?|pyjwt_decode_unverified_header"
        r"|get_unverified_header_\w+)\(",
        "the header says which key to verify with; who somebody is stands in the claims",
    ),
    Explanation(
        "S5659",
        r"def compliant_(decode_\w+|list_\d|verify)\("
        r"|payload = jwt\.decode\(token, None, options=x\)",
        "decoded without `algorithms`, which FAR707 reports, too",
        kind="ours",
    ),
    # -- semgrep ------------------------------------------------------------------------------
    Explanation(
        "path-traversal-file-response",
        r"def serve_logo\(",
        "one segment of the path holds no `/`, but on Windows a backslash separates as well",
        kind="ours",
    ),
    # -- Sonar S8411, path parameters ---------------------------------------------------------
    Explanation(
        "S8411",
        r"def noncompliant_depends_without_target\(",
        "a Depends() without target and annotation fails at import",
    ),
    Explanation(
        "S8411",
        r"def noncompliant_dependency_instance_without_call\(",
        "a dependency that cannot be called fails at import",
    ),
    Explanation(
        "S8411",
        r"def known_fp_\w+\(",
        "the fixture calls it a false positive: the include's dependency binds the parameter",
    ),
    Explanation(
        "S8411",
        r"def no_issue_bailout_with_(kwargs|args_kwargs)\(",
        "FastAPI takes `args` and `kwargs` for query parameters, nothing binds the path's",
        kind="ours",
    ),
    Explanation(
        "S8411",
        r"def get_item_positional_only\(",
        "FastAPI passes all arguments by keyword, to dependencies too: the request fails",
        kind="ours",
    ),
    Explanation(
        "S8411",
        r"def no_issue_bailout_(dynamic_dependency|runtime_type_alias|inherited_callable_\w+)\(",
        "Sonar does not follow it; FastAPI leaves the parameter unbound",
        kind="ours",
    ),
    Explanation(
        "S8411",
        r"def no_issue_bailout_(pydantic_dependency|dataclass_dependency|decorated_class_\w+)\(",
        "the class has no field of that name; FastAPI leaves the parameter unbound",
        kind="ours",
    ),
    # -- Sonar S8412, the generic decorator --------------------------------------------------
    Explanation(
        "S8412",
        r"def (catch_all|multi_method|weird_methods|number_method|dynamic_method)\(",
        "`app.route` is Starlette's for any methods: no validation, no dependencies, no schema",
        kind="ours",
    ),
    # -- Sonar S8414, the order of middleware -------------------------------------------------
    Explanation(
        "S8414",
        r"file_level_app\.add_middleware\(CORSMiddleware",
        "FAR802 reports what was added too late, Sonar what it was added after",
    ),
    Explanation(
        "S8414",
        r"file_level_app\.add_middleware\(GZipMiddleware",
        "FAR802 reports what was added too late, Sonar what it was added after",
        kind="ours",
    ),
    Explanation(
        "S8414",
        r"def noncompliant_fp_conditional_same_scope\(",
        "the fixture calls it a false positive: only one of the branches runs",
    ),
    Explanation(
        "S8401",
        r"def fp_with_control_flow\(",
        "the fixture calls it a false positive: the includes stand in different branches",
    ),
    # -- bump-pydantic -------------------------------------------------------------------------
    Explanation(
        "bump",
        r"bump_pydantic_test_con_func_",
        "`conint` and its like work in Pydantic 2 without a warning; Annotated is but advice",
    ),
    Explanation(
        "bump",
        r"bump_pydantic_test_(replace_config_test_already_commented|validator_test_noop_comment)",
        "bump-pydantic left a comment there before; the code is still that of version 1",
        kind="ours",
    ),
    Explanation(
        "bump",
        r"bump_pydantic_test_custom_types_test_already_commented",
        "bump-pydantic left a comment there before; the code is still that of version 1",
        kind="ours",
    ),
    Explanation(
        "bump",
        r"bump_pydantic_test_validator_test_noop_reuse_validator",
        "bump-pydantic cannot rewrite a validator applied by hand; it is deprecated as well",
        kind="ours",
    ),
    # -- fastapi-lsp ---------------------------------------------------------------------------
    Explanation(
        "route/router-not-included",
        r"router_unused = APIRouter",
        "FAR213 is about routers with endpoints; this one has none",
    ),
    # -- Sonar S8397, uvicorn.run -----------------------------------------------------------
    Explanation(
        "S8397",
        r"def reload_true_noncompliant\(",
        "`uvicorn.run` has no parameter `debug` (any more): the call fails with a TypeError",
    ),
    Explanation(
        "S8397",
        r"def unknown_workers_value_compliant\(",
        "the function that gives the number of workers returns 4",
        kind="ours",
    ),
    # -- 204 and its body -------------------------------------------------------------------
    Explanation(
        "S8400",
        r"def delete_item\(id: int\)",
        _UNKNOWN_VALUE,
    ),
    Explanation("S8400", r"def (reset_item|update_item)\(id: int\)", _OWN_RESPONSE),
    Explanation(
        "CF011",
        r"",
        "since 0.79 FastAPI sends no body with a 204 by itself; the rule is of an older time",
    ),
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
