"""Templates: every component draws, escapes and refuses what it does not know; the lint finds what the policy would block."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from lastlight.ui.assets import AssetsMissing
from lastlight.ui.gallery import APPS, gallery_context, gallery_shell
from lastlight.ui.render import BUILD, Components, create_environment, render_block, render_page
from lastlight.ui.shell import ShellContext
from tools.check_templates import breaches_of, main, templates

ENVIRONMENT = create_environment()
HOSTILE = """"><script>alert(1)</script>' onload=x {{ 7777*7 }}"""


def draw(text: str, **context: object) -> str:
    return ENVIRONMENT.from_string(text).render(**context)


@pytest.mark.parametrize("app", [app for app, _ in APPS])
def test_the_gallery_draws_in_every_app(app: str) -> None:
    html = render_page(ENVIRONMENT, "gallery/index.html", {**gallery_context(), "shell": gallery_shell(app)})  # pyright: ignore[reportArgumentType] - from the list
    assert f'data-app="{app}"' in html
    assert "Undefined" not in html


def test_the_gallery_shows_every_component() -> None:
    shown = "".join(
        path.read_text()
        for folder in ("gallery", "layouts")
        for path in (Path("src/lastlight/ui") / folder).glob("*.html")
    )
    components = ENVIRONMENT.globals["ui"]
    assert isinstance(components, Components)
    inner = {
        "cell",
        "saved_views",
        "confirm_form",
        "meter",
        "palette_options",
        "place",
        "account_menu",
        "since",
        "toast",
        "export_jobs",
        "live",
        "timeline",
        "form",
        "plain_form",
        "filter_dates",
        "filters",
    }
    mails = {name for name in components.names() if name.startswith("mail_")}
    missing = [name for name in components.names() if f"ui.{name}(" not in shown and name not in inner | mails]
    assert missing == []


@pytest.mark.parametrize(
    "call",
    [
        "ui.badge(x, 'ok')",
        "ui.button(x)",
        "ui.button(x, only_icon=true, glyph='x')",
        "ui.link_button(x, '/')",
        "ui.input('n', x, value=x, hint=x, error=x, placeholder=x, prefix=x)",
        "ui.textarea('n', x, value=x)",
        "ui.select('n', x, [(x, x)], value=x)",
        "ui.checkbox('n', x, value=x)",
        "ui.secret(x, x)",
        "ui.kv([(x, x)])",
        "ui.empty(x, x)",
        "ui.error_state(x, x)",
        "ui.banner(x, 'info', x)",
        "ui.toast(x)",
        "ui.attention(x, x)",
        "ui.timeline([{'who': x, 'what': x, 'at': now, 'before': x, 'after': x}])",
        "ui.feed([{'id': 1, 'at': now, 'who': x, 'what': x, 'amount': x}])",
        "ui.chart('c', x, {'kind': 'line', 'labels': [x], 'series': [{'name': x, 'values': [1]}], 'unit': 'count', 'summary': x})",
        "ui.confirm_dialog('d', x, x, '/', x, facts=[(x, x)], reason=x, error=x)",
        "ui.chat_thread([{'by': x, 'at': now, 'text': x}], x)",
        "ui.job_progress(x, 3, note=x)",
        "ui.search('/', x)",
        "ui.filter_chip(x, 'n', [(x, x)], '/', x)",
        "ui.till_tile(x, x, x)",
        "ui.upload_list([{'name': x, 'note': x, 'state': 'failed'}])",
        "ui.stepper([{'label': x, 'state': 'done'}], x)",
        "ui.mail_facts([(x, x)])",
        "ui.mail_button(x, x)",
        "icon('x', x)",
    ],
)
def test_what_people_wrote_stays_text(call: str) -> None:
    html = draw("{{ " + call + " }}", x=HOSTILE, now=gallery_context()["now"])
    assert "<script" not in html
    assert "54439" not in html
    assert "&lt;script" in html or "\\u003cscript" in html


def test_a_quote_cannot_leave_its_attribute() -> None:
    assert 'value="a&#34; onfocus=&#34;x"' in draw("{{ ui.input('n', 'L', value=x) }}", x='a" onfocus="x')
    assert 'data-chart-payload-value="{&#34;' in draw(
        "{{ ui.chart('c', 't', {'kind': 'line', 'labels': [], 'series': [], 'unit': 'count', 'summary': x}) }}", x="'\""
    )


def test_errors_are_tied_to_their_field() -> None:
    html = draw("{{ ui.input('email', 'E-mail', hint='Yours', error='Not an address') }}")
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="email-hint email-error"' in html
    assert 'id="email-error" role="alert"' in html


def test_empty_lists_say_so() -> None:
    assert "Nothing here yet" in draw("{% call(row) ui.table([{'label': 'A'}], [], 'Rows') %}{% endcall %}")
    assert "No history yet" in draw("{{ ui.timeline([]) }}")
    assert "Quiet so far" in draw("{{ ui.feed([]) }}")
    assert "<svg" not in draw("{{ ui.spark([1]) }}")


def test_a_sort_link_turns_around() -> None:
    table = "{% call(row) ui.table([{'label': 'Net', 'key': 'net'}], [], 'R', sort=sort, url='/p?q=a&after=z') %}{% endcall %}"
    assert 'href="/p?q=a&amp;sort=-net"' in draw(table, sort="net")
    assert 'aria-sort="ascending"' in draw(table, sort="net")
    assert 'href="/p?q=a&amp;sort=net"' in draw(table, sort="-net")
    assert 'aria-sort="descending"' in draw(table, sort="-net")
    assert "aria-sort" not in draw(table, sort="")


def test_cells_know_their_column_for_a_phone() -> None:
    columns = (
        "[{'label': 'Who <b>'}, {'label': 'End', 'hidden': true}, {'label': 'Net', 'align': 'r'}, {'label': 'Of'}]"
    )
    rows = (
        "{% call(row) ui.table("
        + columns
        + ', [1], \'R\') %}<td class="main">A</td><td>B</td>\n<td class="r">C</td><td colspan="2">D</td>'
    )
    drawn = draw(rows + "{% endcall %}")
    assert '<td role="cell" data-label="Who &lt;b&gt;" class="main">A</td><td role="cell">B</td>' in drawn
    assert '<td role="cell" data-label="Net" class="r">C</td><td role="cell" colspan="2">D</td>' in drawn


def test_a_refusal_stays_inside_its_console() -> None:
    problem = {"status": 404, "title": "Not found", "detail": "It is not there.", "instance": "urn:request:abc"}
    shells = gallery_shell("management"), ShellContext(app="management", app_name="Management")
    inside, outside = (render_page(ENVIRONMENT, "problem.html", {"problem": problem, "shell": one}) for one in shells)
    assert 'id="sidebar"' in inside
    assert 'id="sidebar"' not in outside
    assert all("It is not there." in html and "404 · Request abc" in html for html in (inside, outside))


def test_unknown_things_are_refused() -> None:
    with pytest.raises(UndefinedError):
        draw("{{ absent }}")
    with pytest.raises(UndefinedError, match="no_such_part"):
        draw("{{ ui.no_such_part() }}")
    with pytest.raises(AssetsMissing, match=r"absent\.css"):
        draw("{{ asset('absent.css') }}")
    with pytest.raises(TemplateNotFound):
        render_block(ENVIRONMENT, "problem.html", "absent", {})


def test_a_block_is_drawn_alone() -> None:
    problem = {"status": 409, "title": "Conflict", "detail": "Somebody was faster."}
    html = render_block(ENVIRONMENT, "problem.html", "toast", {"problem": problem})
    assert html.strip().startswith("<hx-partial")
    assert "<html" not in html
    whole = render_page(
        ENVIRONMENT, "problem.html", {"problem": problem, "shell": ShellContext(app="owner", app_name="Owner")}
    )
    assert "hx-partial" not in whole
    assert "Somebody was faster." in whole


def test_without_a_build_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match="npm run build"):
        create_environment(tmp_path).from_string("{{ asset('console.css') }}").render()


def test_the_lint_is_content_with_ours() -> None:
    assert main([]) == 0


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ('<b hx-on:click="x()">', "hx-on"),
        ('<b hx-on::after="x()">', "hx-on"),
        ('<b hx-vals="js:{a: 1}">', "js:"),
        ('<a href="javascript:x()">', "js:"),
        ('<b hx-trigger="click[ctrlKey]">', "filter"),
        ('<b onclick="x()">', "on…="),
        ('<b style="color:red">', "style"),
        ('<b class="{{ "a>b" }}" style="color:red">', "style"),
        ("<style>b{}</style>", "<style>"),
        ("<script>x()</script>", "inline script"),
        ('<script type="module">x()</script>', "inline script"),
        ('<script src="https://cdn.example/x.js"></script>', "another host"),
        ('<img src="//cdn.example/x.png">', "another host"),
        ("{{ x | safe }}", "|safe"),
        ("{{ ui.button('x', attrs={'hx-on:click': 'x'}) }}", "attrs"),
        ("{{ ui.button('x', attrs={'style': 'x'}) }}", "attrs"),
        ('<a hx-boost="true">', "boost"),
    ],
)
def test_the_lint_finds(tmp_path: Path, bad: str, sentence: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f'<p>\n{{# a comment may say hx-on="x" #}}\n{bad}\n')
    found = list(breaches_of(page))
    assert found, bad
    assert any(sentence in breach and f"{page}:3:" in breach for breach in found), found


def test_the_lint_lets_good_templates_be(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<b class="x" hx-get="/x" hx-trigger="ll:a.b from:body throttle:1s" data-onward="1"><script type="module" src="/static/x.js"></script>'
    )
    assert list(breaches_of(page)) == []
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "x.html").write_text("<style>")
    assert list(templates(tmp_path)) == [page]


def test_a_small_drawing_stands_in_the_page_itself() -> None:
    (drawing,) = BUILD.glob("favicon-patron-*.svg")
    address = draw("{{ inline_asset('favicon-patron.svg') }}")
    assert unquote(address) == f"data:image/svg+xml,{drawing.read_text()}"
    with pytest.raises(AssetsMissing):
        draw("{{ inline_asset('favicon-nobody.svg') }}")
