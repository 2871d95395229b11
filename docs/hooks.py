"""What mkdocs calls while it builds the site.

Blocks of code run and show what they leave (`runner`), the reference is made of docstrings
(`reference`), the changelog becomes a page, names in running text lead to the reference, and all
pages but the reference stand once more on one page for the printer.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]
# Small matrices on many threads wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import reference  # noqa: E402 - from this folder
import runner  # noqa: E402
import torch_map  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from mkdocs.structure.files import File  # noqa: E402

from autograd import __version__  # noqa: E402

CODE = re.compile(r"(?<!<pre>)<code>((?:autograd|nn|optim)[\w.]*)(\([^<]*\))?</code>(?!</a>)")
LINK = re.compile(r'(href|src)="(?!https?:|#|mailto:|data:)([^"#]*)(#[^"]*)?"')
_outputs: dict[str, list[runner.Output]] = {}
_print: dict[str, tuple[str, str]] = {}


def on_config(config, **_):
    """Show the version beside the name, and link to the sources where they are known."""
    sys.path[:0] = [str(ROOT)]  # mkdocs has taken away what was added above
    # The same draws in every build, however busy the machine is.
    settings.register_profile(
        "site", max_examples=20, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("site")
    config.site_name = f"gradloom {__version__}"
    repository = os.environ.get("GRADLOOM_REPOSITORY")
    if repository:
        config.edit_uri_template = f"{repository}/edit/main/docs/{{path}}"
    return config


def on_files(files, config, **_):
    """Add the pages that are made here."""
    made = {f"api/{name}.md": text for name, text in reference.pages().items()}
    made["torch_map.md"] = torch_map.page()
    made["print.html"] = ""  # filled at the end; links to it are known
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    made["changelog.md"] = changes.replace("](docs/", "](")
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(text, page, **_):
    """Run the blocks of a page and write what they leave below them."""
    if page.file.generated_by:
        return text
    if page.file.src_uri == "conventions.md":
        text += reference.conventions()
    if text not in _outputs:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            _outputs[text] = runner.run(text, page.file.abs_src_path, Path(folder))
    return runner.shown(text, _outputs[text])


def on_page_content(html, page, files, **_):
    """Lead names in running text to the reference, and keep the page for the printer."""
    if page.file.src_uri.startswith("api/"):
        return html

    def linked(match):
        address = match[1]
        where = _addresses().get(address)
        if where is None:
            return match[0]
        target = files.get_file_from_path(where).url_relative_to(page.file)
        return f'<a href="{target}#{address}">{match[0]}</a>'

    html = CODE.sub(linked, html)
    _print[page.file.src_uri] = (page.url, html)
    return html


def _addresses():
    """Return the page of each public name."""
    if not _known:
        for name, text in reference.pages().items():
            for address in re.findall(r"\{ #([\w.]+) \}", text):
                _known.setdefault(address, f"api/{name}.md")
    return _known


_known: dict[str, str] = {}


def on_nav(nav, **_):
    """Remember the order of the pages."""
    _order[:] = [page.file.src_uri for page in nav.pages]
    return nav


_order: list[str] = []


def on_post_build(config, **_):
    """Write all pages but the reference as one."""
    site = Path(config.site_dir)
    style = [p.relative_to(site).as_posix() for p in (site / "assets/stylesheets").glob("*.css")]
    urls = {url: name for name, (url, _) in _print.items()}

    def section(name):
        url, html = _print[name]
        mark = name.removesuffix(".md")

        def link(match):
            if match[1] == "src":
                return f'src="{Path(os.path.normpath(f"{url}/../{match[2]}")).as_posix()}"'
            to = Path(os.path.normpath(f"{url}/../{match[2]}")).as_posix()
            if to in urls:
                anchor = f"--{match[3][1:]}" if match[3] else ""
                return f'href="#{urls[to].removesuffix(".md")}{anchor}"'
            return f'href="{to}{match[3] or ""}"'

        html = re.sub(r"<details(?![^>]* open)", "<details open", html)  # paper does not unfold
        html = re.sub(r'\b(id|for)="([^"]+)"', rf'\1="{mark}--\2"', html)
        html = re.sub(r'href="#([^"]+)"', rf'href="#{mark}--\1"', html)
        html = LINK.sub(link, html)
        return f'<section id="{mark}">{html}</section>'

    sheets = "".join(f'<link rel="stylesheet" href="{path}">' for path in sorted(style))
    extra = "".join(f'<link rel="stylesheet" href="{path}">' for path in config.extra_css)
    body = "\n".join(section(name) for name in _order if name in _print)
    lost = set(re.findall(r'href="#([^"]+)"', body)) - set(re.findall(r'id="([^"]+)"', body))
    if lost:
        raise ValueError(f"print.html: links that lead nowhere: {sorted(lost)}")
    (site / "print.html").write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{config.site_name}</title>{sheets}{extra}"
        "<style>section{break-before:page}.headerlink{display:none}html{font-size:100%}</style>"
        '</head><body data-md-color-scheme="default" data-md-color-primary="indigo">'
        f'<article class="md-typeset" style="max-width:50rem;margin:2rem auto;padding:0 1rem">'
        f"{body}</article></body></html>",
        encoding="utf-8",
    )
