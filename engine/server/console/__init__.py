"""The console: the engine's pages, by Jinja2, without a build step and with nothing from outside.

How to add a page, ``engine/server/console/pages/calls.py``::

    def calls_pages(store: ...) -> APIRouter:
        router = APIRouter()

        @router.get("/calls")
        async def calls(visitor: Annotated[Visitor, requires(Permission.FIND_CALLS)], q: str = "") -> HTMLResponse:
            return page(visitor, "calls.html", found=await asyncio.to_thread(store.search, q), q=q)

        @router.post("/calls/{name}/note")
        async def note(visitor: Annotated[Visitor, requires(Permission.REVIEW)], request: Request, name: str) -> RedirectResponse:
            fields = await form(request)                     # checked for size and shape; every value is text
            await visitor.sees(call.team, f"call {name}")    # 404 and kept in the audit chain, where it is another team's
            await visitor.note(Deed.CHANGED, f"call {name}", field="note")
            return see(f"/calls/{name}")

and include it in :func:`engine.server.app.http_app`. What there is:

* :mod:`engine.server.entrance`: ``requires``, ``signed_in``, ``open_to``; ``Visitor`` (``principal``, ``may``, ``sees``,
  ``note``, ``told``). A route that declares none of the three keeps the engine from starting. Requests that another site's page
  sends are refused there: forms need no token of their own.
* :mod:`engine.server.console.rendering`: ``page(guest, template, status, **context)``, ``form(request)``, ``see(path)``. A
  template extends ``layout.html`` and fills the blocks ``title``, ``styles``, ``main_attributes``, ``main``, ``scripts``. It gets
  ``t`` (texts), ``visitor`` (``None`` where nobody has signed in), ``may("calls.find")``, ``language`` and ``path``. Everything
  is escaped. Scripts and styles stand in files below ``engine/server/pages`` or ``engine/server/console/static``, served at
  ``/static/<name>``: the policy lets nothing run or shine that stands in a page itself. What a script needs to know goes into
  ``data-`` attributes, or ``<script type="application/json">{{ value|tojson }}</script>``, which no browser runs.
* :mod:`engine.server.console.texts`: every text of a page in English, Russian and Chinese, in YAML files below ``texts/``, one a
  page. ``t("calls.found", number=3)``. A test fails where a language, a placeholder or a text that is used is missing, or one is
  not used.
* :mod:`engine.server.console.navigation`: the entries of the navigation, each with the permission it needs.
* ``look.css``: colours for light and dark, ``.card``, ``.field``, ``.go``, ``.stop``, ``.quiet``, ``.row``, tables.
"""
