"""The project graph: every way of putting routes on apps, in small packages."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.semantics.facts import RouteKind
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.project import AppNode, Project, place_name


def graph(folder: Path, files: dict[str, str], **settings: object) -> Project:
    """The graph of a package; `main.py` and other files go below `shop/`."""
    (folder / "pyproject.toml").write_text("")
    for name, text in {"__init__.py": "", **files}.items():
        file = folder / "shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    model = Model(Settings(**settings))  # type: ignore[arg-type]
    return Project(model, model.modules.that_matter(folder))


def table(project: Project, app: AppNode | None = None) -> list[str]:
    """The routes of an app as `METHOD path handler`, uncertain ones with a question mark."""
    app = app or project.apps[0]
    return [
        " ".join(
            [
                "/".join(route.methods or ("WS",)) if route.methods is not None else "?",
                route.path if route.path is not None else "?",
                (place_name(route.endpoint) or "?").partition(":")[2] if route.endpoint else "?",
            ]
        )
        + ("" if route.certain else " ?")
        for route in project.resolved_routes(app)
    ]


def dependencies(project: Project, position: int = 0) -> list[str]:
    """The names of what runs before a route of the first app."""
    route = project.resolved_routes(project.apps[0])[position]
    return [(place_name(d.target) or "?").partition(":")[2] for d in route.dependencies]


ITEMS = """
    from fastapi import APIRouter

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("/{item_id}")
    async def read(item_id: str): ...


    @router.post("")
    async def create(): ...
"""
READ, CREATE = "GET /items/{item_id} read", "POST /items create"


FORMS = {
    "module": """
        from fastapi import FastAPI
        from shop.items import router
        app = FastAPI()
        app.include_router(router)
    """,
    "attribute of a module": """
        import fastapi
        from shop import items
        app = fastapi.FastAPI()
        app.include_router(items.router)
    """,
    "relative import under an alias": """
        from fastapi import FastAPI as API
        from .items import router as things
        app = API()
        app.include_router(router=things)
    """,
    "factory": """
        from fastapi import FastAPI
        def create_app() -> FastAPI:
            from .items import router
            app = FastAPI()
            app.include_router(router)
            return app
    """,
    "function that gets the app": """
        from fastapi import FastAPI
        from .items import router
        def register(app):
            app.include_router(router)
        def create_app():
            app = FastAPI()
            register(app)
            return app
        app = create_app()
    """,
    "loop over a list": """
        from fastapi import FastAPI
        from . import items
        ROUTERS = [items.router]
        app = FastAPI()
        for each in ROUTERS:
            app.include_router(each)
    """,
    "loop over pairs": """
        from fastapi import FastAPI
        from . import items
        app = FastAPI()
        for prefix, each in (("", items.router),):
            app.include_router(each, prefix=prefix)
    """,
    "loop over a dict": """
        from fastapi import FastAPI
        from . import items
        app = FastAPI()
        for prefix, each in {"": items.router}.items():
            app.include_router(each, prefix=prefix)
    """,
    "list that grows": """
        from fastapi import FastAPI
        from .items import router
        routers = []
        routers.append(router)
        routers += []
        app = FastAPI()
        [app.include_router(each) for each in routers]
    """,
    "router of the app": """
        from fastapi import FastAPI
        from .items import router
        app = FastAPI()
        app.router.include_router(router)
    """,
    "class with an app": """
        from fastapi import FastAPI
        from .items import router
        class Server:
            def __init__(self):
                self.app = FastAPI()
                self._setup()
            def _setup(self):
                self.app.include_router(router)
        server = Server()
    """,
    "subclass": """
        from fastapi import FastAPI
        from .items import router
        class Shop(FastAPI):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.include_router(router)
        app = Shop(title="Shop")
    """,
    "wrapped app": """
        from fastapi import FastAPI
        from somewhere import instrument
        from .items import router
        app = FastAPI()
        app = instrument(app)
        app.include_router(router)
    """,
    "through another router": """
        from fastapi import APIRouter, FastAPI
        from .items import router
        outer = APIRouter()
        outer.include_router(router)
        app = FastAPI()
        app.include_router(outer)
    """,
    "module by name": """
        import importlib
        from fastapi import FastAPI
        app = FastAPI()
        for name in ["items"]:
            app.include_router(importlib.import_module(f"shop.{name}").router)
    """,
    "dataclass": """
        from dataclasses import dataclass, field
        from fastapi import APIRouter, FastAPI
        from .items import router
        @dataclass
        class Part:
            inner: APIRouter
            router: APIRouter = field(default_factory=APIRouter)
            def __post_init__(self):
                self.router.include_router(self.inner)
        app = FastAPI()
        app.include_router(Part(router).router)
    """,
    "exception while importing": """
        from fastapi import FastAPI
        try:
            from .items import router
        except ImportError:
            router = None
        app = FastAPI()
        app.include_router(router)
    """,
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_assembling(form: str, tmp_path: Path) -> None:
    """However the router gets into the app, the table is the same, and certain."""
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": FORMS[form]})
    assert len(project.apps) == 1
    assert table(project) == [READ, CREATE]
    assert project.is_complete(project.apps[0])
    assert not project.unreached_routers()


PREFIXES = {
    "constant": ('PREFIX = "/v1"', "PREFIX"),
    "text with a constant": ('VERSION = 1\nNAME = "v"', 'f"/{NAME}{VERSION}"'),
    "concatenation": ('NAME = "/v"', 'NAME + "1"'),
    "class attribute": ('class Config:\n    PREFIX = "/v1"', "Config.PREFIX"),
    "default of a setting": (
        "from pydantic_settings import BaseSettings\n"
        'class Config(BaseSettings):\n    prefix: str = "/v1"\nconfig = Config()',
        "config.prefix",
    ),
    "member of an enumeration": (
        'from enum import Enum\nclass Prefix(str, Enum):\n    V1 = "/v1"',
        "Prefix.V1.value",
    ),
    "default of a parameter": ('def make(prefix="/v1"):\n    return prefix', "make()"),
    "method of a string": ('PREFIX = "/v1/"', 'PREFIX.rstrip("/")'),
}


@pytest.mark.parametrize("kind", PREFIXES)
def test_prefixes(kind: str, tmp_path: Path) -> None:
    """Prefixes that fold to a constant are known."""
    before, prefix = PREFIXES[kind]
    main = "\n".join(
        [
            "from fastapi import FastAPI",
            "from .items import router",
            before,
            "app = FastAPI()",
            f"app.include_router(router, prefix={prefix})",
        ]
    )
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": main})
    assert table(project) == [
        "GET /v1/items/{item_id} read",
        "POST /v1/items create",
    ]


def test_run_time_values_are_kept_and_marked(tmp_path: Path) -> None:
    """What only run time decides is in the table, and never certain."""
    main = """
        import os
        from fastapi import FastAPI
        from .items import router
        app = FastAPI()
        if os.environ.get("ITEMS"):
            app.include_router(router)
        app.include_router(router, prefix=os.environ["PREFIX"])
        @app.get(os.environ["PATH"])
        async def read(): ...
        @app.api_route("/any", methods=os.environ["METHODS"].split())
        async def anything(): ...
    """
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": main})
    assert table(project) == [
        f"{READ} ?",
        f"{CREATE} ?",
        "GET ? read ?",
        "POST ? create ?",
        "GET ? read ?",
        "? /any anything ?",
    ]
    assert not project.is_complete(project.apps[0])


def test_unknown_include_is_incomplete(tmp_path: Path) -> None:
    """An include that cannot be resolved hides nothing else, and is told."""
    main = """
        import sys
        from fastapi import FastAPI
        from .items import router
        def load(names):
            for name in names:
                yield __import__(name).router
        app = FastAPI()
        for each in load(sys.argv):
            app.include_router(each)
        app.include_router(router)
    """
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": main})
    assert table(project) == [READ, CREATE]
    assert not project.is_complete(project.apps[0])
    assert not project.every_include_resolved


def test_generators_of_imported_routers(tmp_path: Path) -> None:
    """A loop over a generator that makes nothing itself, but hands on what it imports."""
    routers = """
        from . import items
        def every():
            yield items.router
    """
    main = """
        from fastapi import FastAPI
        from .routers import every
        def create_app():
            app = FastAPI()
            for router in every():
                app.include_router(router)
            return app
    """
    files = {"items.py": ITEMS, "routers.py": routers, "main.py": main}
    project = graph(tmp_path, files)
    assert table(project) == [READ, CREATE]
    assert project.is_complete(project.apps[0])
    assert project.every_include_resolved


def test_routers_of_libraries(tmp_path: Path) -> None:
    """A library's router hides nothing else and is no fault of the project."""
    main = """
        from fastapi import FastAPI
        from fastapi_users import FastAPIUsers
        from .items import router
        users = FastAPIUsers(None, [])
        app = FastAPI()
        app.include_router(users.get_auth_router(None), prefix="/auth")
        app.include_router(router)
    """
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": main})
    assert table(project) == [READ, CREATE]
    assert any(node.is_opaque for node in project.reached(project.apps[0]))


def test_factory_of_routers(tmp_path: Path) -> None:
    """Each call of a factory makes a router with its own arguments."""
    main = """
        from fastapi import APIRouter, FastAPI
        def make(name: str, writable: bool = False) -> APIRouter:
            router = APIRouter(prefix=f"/{name}")
            @router.get("/")
            async def read(): ...
            if writable:
                @router.post("/")
                async def write(): ...
            return router
        app = FastAPI()
        app.include_router(make("a"))
        app.include_router(make("b", writable=True))
    """
    project = graph(tmp_path, {"main.py": main})
    assert table(project) == [
        "GET /a/ make.<locals>.read",
        "GET /b/ make.<locals>.read",
        "POST /b/ make.<locals>.write",
    ]


def test_added_routes_and_calls(tmp_path: Path) -> None:
    """Routes without a decorator."""
    main = """
        from fastapi import APIRouter, FastAPI
        from fastapi.routing import APIRoute
        async def read(): ...
        class Handlers:
            async def create(self): ...
        handlers = Handlers()
        router = APIRouter(routes=[APIRoute("/planned", read)])
        router.add_api_route("/added", read, methods=["GET", "HEAD"])
        router.post("/called")(handlers.create)
        router.add_api_websocket_route("/socket", read)
        app = FastAPI()
        app.include_router(router, prefix="/v1")
        @app.websocket("/watch")
        async def watch(): ...
    """
    project = graph(tmp_path, {"main.py": main})
    assert table(project) == [
        "GET /v1/planned read",
        "GET/HEAD /v1/added read",
        "POST /v1/called Handlers.create",
        "WS /v1/socket read",
        "WS /watch watch",
    ]
    assert project.all_routes[3].kind is RouteKind.WEBSOCKET


def test_subclass_of_router(tmp_path: Path) -> None:
    """Subclasses may set options, and change routes on their way."""
    main = """
        from fastapi import APIRouter, Depends, FastAPI
        def check(): ...
        class Safe(APIRouter):
            def __init__(self, prefix: str = "", **kwargs):
                super().__init__(prefix=f"/safe{prefix}", dependencies=[Depends(check)], **kwargs)
            def add_api_route(self, path, endpoint, **kwargs):
                super().add_api_route(path, endpoint, **kwargs)
                if not path.endswith("/"):
                    super().add_api_route(path + "/", endpoint, **kwargs)
        router = Safe("/items", tags=["a"])
        @router.get("/x", tags=["b"])
        async def read(): ...
        app = FastAPI()
        app.include_router(router)
    """
    project = graph(tmp_path, {"main.py": main})
    assert table(project) == ["GET /safe/items/x read", "GET /safe/items/x/ read"]
    assert dependencies(project) == ["check"]
    assert project.all_routes[0].tags == ("a", "b")


def test_controllers_with_constructors_of_their_own(tmp_path: Path) -> None:
    """A constructor that only calls the one of its base assembles what that one does."""
    main = """
        from fastapi import APIRouter, FastAPI
        class Controller:
            prefix = ""
            def __init__(self, db):
                self.router = APIRouter(prefix=self.prefix)
                self.register()
        class Items(Controller):
            def register(self):
                self.router.add_api_route("/items", self.index)
            async def index(self): ...
        class Sessions(Controller):
            prefix = "/sessions"
            def __init__(self, db, redis):
                self.redis = redis
                super().__init__(db)
            def register(self):
                self.router.post("/login")(self.log_in)
            async def log_in(self): ...
        app = FastAPI()
        for controller in (Items(None), Sessions(None, None)):
            app.include_router(controller.router)
    """
    project = graph(tmp_path, {"main.py": main})
    assert table(project) == ["GET /items Items.index", "POST /sessions/login Sessions.log_in"]


def test_class_based_view(tmp_path: Path) -> None:
    """The class is the first dependency of its methods."""
    main = """
        from fastapi import APIRouter, Depends, FastAPI
        from fastapi_utils.cbv import cbv
        router = APIRouter()
        def session(): ...
        def user(): ...
        @cbv(router)
        class Items:
            session: str = Depends(session)
            @router.get("/items")
            async def read(self, who=Depends(user)): ...
        app = FastAPI()
        app.include_router(router)
    """
    project = graph(tmp_path, {"main.py": main})
    assert table(project) == ["GET /items Items.read"]
    assert dependencies(project) == ["Items", "session", "user"]


def test_mounts(tmp_path: Path) -> None:
    """A mounted app has its own table, with the path of its mount."""
    main = """
        from fastapi import APIRouter, FastAPI
        from fastapi.staticfiles import StaticFiles
        inner = FastAPI()
        @inner.get("/x")
        async def read(): ...
        router = APIRouter(prefix="/r")
        router.mount("/files", StaticFiles(directory="."), name="files")
        app = FastAPI()
        app.mount("/inner/", inner)
        app.include_router(router)
    """
    project = graph(tmp_path, {"main.py": main})
    names = {app.name: app for app in project.apps}
    assert table(project, names["shop.main:inner"]) == ["GET /inner/x read"]
    assert names["shop.main:inner"].mount_path == "/inner"
    mounts = project.resolved_mounts(names["shop.main:app"])
    assert [(mount.local_path, mount.name) for mount in mounts] == [
        ("/inner", None),
        ("/files", "files"),  # Starlette's `mount` knows no prefix
    ]


def test_order_of_inherited_options(tmp_path: Path) -> None:
    """App, include, router, route: prefixes, tags, dependencies and responses in this order."""
    main = """
        from fastapi import APIRouter, Depends, FastAPI, Response, status
        def d1(): ...
        def d2(): ...
        def d3(): ...
        def d4(): ...
        def below(): ...
        def d5(a=Depends(below)): ...
        inner = APIRouter(prefix="/i", tags=["i"], dependencies=[Depends(d3)], deprecated=True,
                          responses={status.HTTP_404_NOT_FOUND: {}})
        @inner.get("/x", tags=["x"], dependencies=[Depends(d4)], responses={409: {}},
                   status_code=201)
        async def read(a=Depends(d5), b=Depends(d1)): ...
        app = FastAPI(dependencies=[Depends(d1)], default_response_class=Response)
        app.include_router(inner, prefix="/v", tags=["v"], dependencies=[Depends(d2)],
                           include_in_schema=False, responses={500: {}})
    """
    (route,) = (project := graph(tmp_path, {"main.py": main})).all_routes
    assert route.path == "/v/i/x"
    assert route.tags == ("v", "i", "x")
    assert dependencies(project) == ["d1", "d2", "d3", "d4", "d5", "below"]
    assert route.responses == (500, 404, 409)
    assert route.deprecated is True
    assert route.include_in_schema is False
    assert route.status_code == 201
    assert route.operation_id == "read_v_i_x_get"
    assert place_name(route.response_class) == "starlette.responses:Response"  # type: ignore[arg-type]
    assert route.dependencies_complete


def test_operation_ids(tmp_path: Path) -> None:
    """Generated as FastAPI does, given, custom, or unknown."""
    main = """
        from fastapi import APIRouter, FastAPI
        app = FastAPI()
        custom = APIRouter(generate_unique_id_function=lambda route: route.name)
        @app.get("/a/{b:int}-c", name="x y")
        async def first(b: int): ...
        @app.get("/given", operation_id="mine")
        async def second(): ...
        @custom.get("/custom")
        async def third(): ...
        app.include_router(custom)
    """
    project = graph(tmp_path, {"main.py": main})
    routes = project.all_routes
    assert [route.operation_id for route in routes] == ["x_y_a__b__c_get", "mine", None]
    assert [route.has_custom_id for route in routes] == [False, False, True]


def test_late_routes(tmp_path: Path) -> None:
    """Before FastAPI 0.137 a router gave what it had when it was included."""
    main = """
        from fastapi import APIRouter, FastAPI
        router = APIRouter()
        @router.get("/early")
        async def early(): ...
        app = FastAPI()
        app.include_router(router)
        @router.get("/late")
        async def late(): ...
    """
    (tmp_path / "new").mkdir()
    new = graph(tmp_path / "new", {"main.py": main})
    assert table(new) == ["GET /early early", "GET /late late"]
    (tmp_path / "old").mkdir()
    old = graph(tmp_path / "old", {"main.py": main}, fastapi_version=(0, 136))
    assert table(old) == ["GET /early early"]


def test_cycles_end(tmp_path: Path) -> None:
    """Routers that include each other are told, and do not trap the walk."""
    main = """
        from fastapi import APIRouter, FastAPI
        a = APIRouter()
        b = APIRouter()
        @a.get("/x")
        async def read(): ...
        a.include_router(b)
        b.include_router(a)
        app = FastAPI()
        app.include_router(a)
    """
    project = graph(tmp_path, {"main.py": main})
    assert [len(cycle) for cycle in project.cycles] == [2]
    assert table(project) == ["GET /x read"]


def test_import_cycle_between_app_and_routes(tmp_path: Path) -> None:
    """A module of views that imports the app it decorates."""
    files = {
        "main.py": """
            from fastapi import FastAPI
            app = FastAPI()
            from shop import views
        """,
        "views.py": """
            from shop.main import app
            @app.get("/x")
            async def read(): ...
        """,
    }
    project = graph(tmp_path, files)
    assert table(project) == ["GET /x read"]


def test_unreached_routers(tmp_path: Path) -> None:
    """Routers with routes that no app includes."""
    main = "from fastapi import FastAPI\napp = FastAPI()\n"
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": main})
    (node,) = project.unreached_routers()
    assert node.name == "shop.items:router"
    assert {app.name for app in project.roots} == {"shop.items:router", "shop.main:app"}


def test_a_changed_text_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """Also where a package imports its own submodule by its full name."""
    files = {
        "items.py": ITEMS,
        "__init__.py": """
            from fastapi import FastAPI
            from shop import items

            app = FastAPI()
            app.include_router(items.router)
        """,
    }
    project = graph(tmp_path, files)
    assert not project.unreached_routers()
    module = project.model.modules.load(tmp_path / "shop" / "items.py")
    assert module is not None
    assert project.model.project(module).apps
    text = module.source.text.replace("read", "look_up")
    changed = project.model.load(Source(str(module.path), text))
    renewed = project.model.project(changed)
    assert not renewed.unreached_routers()
    assert table(renewed) == ["GET /items/{item_id} look_up", "POST /items create"]


def test_routes_of_an_endpoint(tmp_path: Path) -> None:
    """One function, several routes in several apps."""
    main = """
        from fastapi import FastAPI
        from .items import router
        app = FastAPI()
        app.include_router(router, prefix="/v1")
        app.include_router(router, prefix="/v2")
        other = FastAPI()
        other.include_router(router)
    """
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": main})
    endpoint = project.all_routes[0].endpoint
    assert endpoint is not None
    assert [route.path for route in project.routes_of(endpoint)] == [
        "/v1/items/{item_id}",
        "/v2/items/{item_id}",
        "/items/{item_id}",
    ]


def test_names_for_servers(tmp_path: Path) -> None:
    """Apps are found as a server would be told of them."""
    files = {
        "app.py": """
            from fastapi import FastAPI
            def create_app():
                return FastAPI()
            app = create_app()
        """,
        "__init__.py": "from shop.app import app\n",
    }
    project = graph(tmp_path, files)
    assert [app.name for app in project.apps] == ["shop.app:app"]
    for name in ("shop.app:app", "shop:app", "shop.app:create_app"):
        assert project.app_named(name) is project.apps[0]
    assert project.app_named("shop.app:nothing") is None


def test_early_return_makes_the_rest_conditional(tmp_path: Path) -> None:
    """`if not enabled: return` in a helper."""
    main = """
        from fastapi import FastAPI
        from .items import router
        def register(app: FastAPI, enabled) -> None:
            if not enabled():
                return
            app.include_router(router)
        def check(app: FastAPI, name) -> None:
            if name() is None:
                raise ValueError
            @app.get("/checked")
            async def checked(): ...
        app = FastAPI()
        check(app, input)
        register(app, input)
    """
    project = graph(tmp_path, {"items.py": ITEMS, "main.py": main})
    assert table(project) == [
        "GET /checked check.<locals>.checked",
        f"{READ} ?",
        f"{CREATE} ?",
    ]


def test_hostile_text_ends(tmp_path: Path) -> None:
    """Formats that would need endless memory are not evaluated."""
    main = """
        from fastapi import FastAPI
        app = FastAPI()
        @app.get("/%999999999d" % 1)
        async def first(): ...
        @app.get("/{:>999999999}".format("x"))
        async def second(): ...
        def again(n): return again(n)
        again(1)
        @app.get("/" + again("x"))
        async def third(): ...
    """
    project = graph(tmp_path, {"main.py": main})
    assert [route.path for route in project.all_routes] == [None, None, None]
