"""The sets of others that we compare with."""

from __future__ import annotations

from tests.conformance import readers
from tests.conformance.comparing import PeerSet

RUFF_FIXTURES = "astral-sh__ruff/crates/ruff_linter/resources/test/fixtures"
SONAR = "SonarSource__sonar-python/python-checks/src/test/resources/checks"
SEMGREP = "semgrep__semgrep-rules/python/fastapi/security"
LSP = "alex-oleshkevich__fastapi-lsp/e2e/fixtures"
CODEQL = "github__codeql/python/ql/test/library-tests/frameworks/fastapi"
PROJECTS = (
    "fastapi__full-stack-fastapi-template",
    "Netflix__dispatch",
    "mealie-recipes__mealie",
    "polarsource__polar",
    "TracecatHQ__tracecat",
)

FAST = {"FAST001": ("FAR503",), "FAST002": ("FAR301", "FAR302"), "FAST003": ("FAR208", "FAR209")}
BLOCKING = ("FAR601",)
ASYNC = {f"ASYNC{number}": BLOCKING for number in (210, 212, 220, 221, 222, 230, 240, 250, 251)}
TESTS = {"test-paths": ["*.py"]}

SETS = (
    PeerSet(
        "ruff FAST, its fixtures",
        FAST,
        readers.ruff(f"{RUFF_FIXTURES}/fastapi", select="FAST"),
        both_ways=False,
    ),
    PeerSet(
        "ruff FAST, FastAPI's documentation",
        FAST,
        readers.ruff("fastapi__fastapi/docs_src", select="FAST"),
        both_ways=False,
    ),
    *(
        PeerSet(f"ruff FAST, {name}", FAST, readers.ruff(name, select="FAST"), both_ways=False)
        for name in PROJECTS
    ),
    *(
        PeerSet(
            f"ruff ASYNC2, {name}",
            ASYNC,
            readers.ruff_in_endpoints(name, select="ASYNC2"),
            both_ways=False,
        )
        for name in PROJECTS
    ),
    PeerSet(
        "Sonar, routes and parameters",
        {
            "S8389": ("FAR224",),
            "S8392": ("FAR721",),
            "S8396": ("FAR516",),
            "S8397": ("FAR117",),
            "S8400": ("FAR207",),
            "S8409": ("FAR503",),
            "S8410": ("FAR301", "FAR302"),
            "S8411": ("FAR208", "FAR209"),
            "S8412": ("FAR203",),
            "S8413": ("FAR204",),
            "S8414": ("FAR802",),
            "S8415": ("FAR227",),
        },
        readers.sonar(
            SONAR,
            {
                "fastapiFileUploadForm.py": "S8389",
                "bindToAllNetworkInterfaces.py": "S8392",
                "pydanticOptionalFieldDefault.py": "S8396",
                "fastApiImportString.py": "S8397",
                "httpNoContentNonEmptyBody.py": "S8400",
                "fastapiRedundantResponseModel.py": "S8409",
                "fastAPIDependencyAnnotated.py": "S8410",
                "fastapiPathParameters.py": "S8411",
                "fastAPIGenericRouteDecorator.py": "S8412",
                "routerPrefixInIncludeRouter.py": "S8413",
                "corsMiddlewareOrdering.py": "S8414",
                "fastAPIHTTPExceptionDocumented.py": "S8415",
            },
        ),
    ),
    PeerSet(
        "Sonar, below FastAPI 0.137",
        {"S8401": ("FAR214",)},
        readers.sonar(SONAR, {"childRouterBeforeParentRegistration.py": "S8401"}),
        settings={"fastapi-version": "0.136"},
    ),
    PeerSet(
        "Sonar, tests",
        {"S8405": ("FAR904", "FAR907")},
        readers.sonar(SONAR, {"testClientContentParameter.py": "S8405"}),
        settings=TESTS,
    ),
    PeerSet(
        "Sonar, blocking calls",
        dict.fromkeys(("S7487", "S7488", "S7489", "S7493", "S7499", "S7501"), BLOCKING)
        | {"S7502": ("FAR414",)},
        readers.sonar(
            SONAR,
            {
                "synchronousSubprocessOperationsInAsync.py": "S7487",
                "timeSleepInAsync.py": "S7488",
                "synchronousOsCallsInAsync.py": "S7489",
                "synchronousFileOperationsInAsync.py": "S7493",
                "synchronousHttpOperationsInAsync.py": "S7499",
                "inputInAsync.py": "S7501",
                "asyncioTaskNotStored.py": "S7502",
            },
            endpoints=True,
        ),
    ),
    PeerSet(
        "Sonar, JWT",
        {"S5659": ("FAR707",)},
        readers.sonar(SONAR, {"pythonJoseVerification.py": "S5659"}),
    ),
    PeerSet(
        "flake8-fastapi",
        {
            "CF001": ("FAR203", "FAR125"),
            "CF002": ("FAR204",),
            "CF008": ("FAR802",),
            "CF009": ("FAR227",),
            "CF011": ("FAR207",),
        },
        readers.flake8_fastapi(
            "Kludex__flake8-fastapi/tests",
            {
                "test_route_decorator.py": "CF001",
                "test_router_prefix.py": "CF002",
                "test_cors_middleware_order.py": "CF008",
                "test_undocumented_exception.py": "CF009",
                "test_no_content_response.py": "CF011",
            },
        ),
        level="file",
    ),
    PeerSet(
        "semgrep",
        {
            "wildcard-cors": ("FAR701",),
            "unrestricted-trusted-host": ("FAR719",),
            "path-traversal-file-response": ("FAR714",),
            "fastapi-unvalidated-redirect": ("FAR715",),
            "fastapi-httpx-ssrf": ("FAR716",),
        },
        readers.semgrep(
            SEMGREP,
            "wildcard-cors.py",
            "unrestricted-trusted-host.py",
            "path-traversal-file-response.py",
            "audit/fastapi-unvalidated-redirect.py",
            "injection/fastapi-httpx-ssrf.py",
        ),
    ),
    PeerSet(
        "bump-testclient",
        {"bump": ("FAR904", "FAR907")},
        readers.pairs(
            "Kludex__bump-testclient/tests", "bump", "bump_testclient", names=("input", "expected")
        ),
        level="file",
        settings=TESTS,
    ),
    PeerSet(
        "bump-pydantic",
        {"bump": ("FAR509",)},
        readers.pairs(
            "pydantic__bump-pydantic/tests/unit", "bump", "bump_pydantic", names=("before", "after")
        ),
        level="file",
    ),
    PeerSet(
        "evloop-lint",
        {"EVL001": ("FAR601", "FAR602")},
        readers.evloop("agusmdev__evloop-lint/tests", "EVL001"),
        level="file",
    ),
    PeerSet(
        "fastapi-lsp",
        {
            "route/param-missing-arg": ("FAR208",),
            "route/duplicate": ("FAR210",),
            "route/duplicate-name": ("FAR216",),
            "route/shadowed": ("FAR211",),
            "route/router-not-included": ("FAR213",),
            "di/depends-called": ("FAR303",),
            "di/cycle": ("FAR315",),
            "di/override-unused": ("FAR908",),
            "url": ("FAR231",),
        },
        readers.programs(
            LSP,
            (
                ("bookshop/app/routers/broken_routes.py", 10, "route/param-missing-arg"),
                ("bookshop/app/routers/broken_routes.py", 17, "di/depends-called"),
                ("bookshop/app/routers/broken_routes.py", 22, "route/duplicate"),
                ("bookshop/app/routers/broken_routes.py", 30, "url"),
                ("diagnostics/app.py", 10, "route/router-not-included"),
                ("diagnostics/app.py", 26, "route/duplicate-name"),
                ("diagnostics/app.py", 43, "route/shadowed"),
                ("diagnostics/app.py", 51, "url"),
                ("diagnostics/app.py", 55, "route/param-missing-arg"),
                ("di_cycle/app.py", 14, "di/cycle"),
                ("noqa_fixture/app.py", 9, "route/param-missing-arg"),
                ("noqa_fixture/app.py", 15, "route/param-missing-arg"),
            ),
        ),
        both_ways=False,
    ),
)
