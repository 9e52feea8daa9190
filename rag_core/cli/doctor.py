"""Looks at everything that rag_core needs, side by side, and says what is missing or wrong.

Nothing is started, loaded or downloaded, and no server is waited for longer than `LIMIT_S`.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from typer import Context

from rag_core.cli.application import AsJson
from rag_core.domain.findings import Finding, all_well, fail, failed_with, ok, warn
from rag_core.domain.server_url import target
from rag_core.errors import ConfigurationError, RagError

if TYPE_CHECKING:
    from rag_core.settings import Settings
    from rag_core.settings_providers import ProviderOptions

FILES_LIMIT_S = 30.0
"""For what reads files of this machine: 90 MB of weights on a slow disk."""

LIMIT_S = 2.5
"""For each check; they run at the same time. A little more than libpq's least, 2 s."""

Check = Callable[["Settings"], Awaitable[list[Finding]]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part to look at, and the settings without which there is no use in looking."""

    name: str
    check: Check
    needs: tuple[str, ...] = ()
    files: bool = False
    """Whether it reads files rather than asks a server."""


async def doctor(context: Context, as_json: AsJson = False) -> int:
    """Say what is missing or wrong, and the fix.

    Looks at settings, packages, RAG_HOME, Postgres (version, pgvector, schema, privileges, a
    pooler), Redis, embedding model, tokenizer and providers, all at once, and prints one line for
    each: ok, warn or FAIL, with what to do. Starts, loads and downloads nothing; takes at most a
    few seconds. Exit code 1 when something fails.

    \b
    examples:
      python -m rag_core doctor
      python -m rag_core --env .env.production doctor --json
    """
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # what it warns of, the findings say
    findings = await examine(context.obj)
    well = all_well(findings)
    report = {"ok": well, "findings": [asdict(finding) for finding in findings]}
    print(json.dumps(report, indent=2) if as_json else as_text(findings))
    return 0 if well else 1


def as_text(findings: Sequence[Finding]) -> str:
    """A line each: level, part, what was found; the fix where there is one to do."""
    width = max((len(finding.part) for finding in findings), default=0)
    return "\n".join(
        f"{finding.level:<4}  {finding.part:<{width}}  {_in_one_line(finding)}"
        for finding in findings
    )


def _in_one_line(finding: Finding) -> str:
    text = " ".join(finding.text.split())
    return f"{text.rstrip('.')}. {finding.fix}" if finding.fix else text


async def examine(env_file: Path | None = None) -> list[Finding]:
    """Findings of all parts, in an order for reading; never raises for what it finds."""
    from rag_core.settings import examine_settings

    settings, problems = examine_settings(env_file)
    wrong = {problem.setting for problem in problems}
    looked = await asyncio.gather(*(_look(part, settings, wrong) for part in _PARTS))
    return [*_of_settings(problems, env_file), *(each for some in looked for each in some)]


async def _look(part: _Part, settings: Settings, wrong: set[str]) -> list[Finding]:
    if useless := sorted(wrong.intersection(part.needs)):
        return [warn(part.name, f"not looked at: {', '.join(useless)} is wrong", "Mend it first")]
    try:
        limit_s = FILES_LIMIT_S if part.files else LIMIT_S
        async with asyncio.timeout(limit_s):
            return await part.check(settings)
    except TimeoutError:
        return [fail(part.name, f"no answer within {limit_s:g} s", "Check that it is not frozen")]
    except ModuleNotFoundError as error:
        return [fail(part.name, f"{error.name} is not installed", "Run: pip install rag_core")]
    except RagError as error:
        return [failed_with(part.name, error)]
    except OSError as error:
        problem = f"{error.filename or part.name}: {error.strerror or error}"
        return [fail(part.name, problem, "Give this user the right to read it")]


def _of_settings(
    problems: Sequence[ConfigurationError], env_file: Path | None
) -> Iterator[Finding]:
    source = f"{env_file} and the environment" if env_file else "the environment"
    if not problems:
        yield ok("settings", f"those of {source} can be used")
    for problem in problems:
        yield failed_with("settings", problem)


async def _packages(settings: Settings) -> list[Finding]:
    """What the distribution says it requires, its extras apart."""
    try:
        required = importlib.metadata.requires("rag_core") or []
    except importlib.metadata.PackageNotFoundError:
        return [warn("packages", "rag_core runs from a folder, not installed", "pip install -e .")]
    missing = [name for name in map(_core_requirement, required) if name and not _installed(name)]
    if missing:
        names = " ".join(missing)
        return [fail("packages", f"not installed: {names}", f"Run: pip install {names}")]
    return [ok("packages", "everything that the core requires is installed")]


def _core_requirement(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    return name[0] if name and "extra ==" not in requirement else ""


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


async def _home(settings: Settings) -> list[Finding]:
    """Whether a file can be made where the home is, or is to be."""
    from rag_core.embedded.home import try_writing

    home = settings.home.absolute()
    nearest = next(folder for folder in (home, *home.parents) if folder.is_dir())
    try:
        try_writing(nearest)
    except OSError as error:
        problem = f"{nearest} cannot be written ({error.strerror})"
        fix = "Set RAG_HOME to a folder that this user may write in"
        needed = not settings.database_url or _embeds_valkey(settings)
        return [fail("home", problem, fix) if needed else warn("home", problem, fix)]
    return [ok("home", f"{home} can be written" if nearest == home else f"{home} can be made")]


async def _database(settings: Settings) -> list[Finding]:
    if settings.database_url is None:
        return _embedded_database()
    from rag_core.adapters.postgres import health

    return await health.examine(
        settings.database_url.get_secret_value(),
        newest_revision=newest_revision(),
        prepares=settings.database_prepare,
    )


def _embedded_database() -> list[Finding]:
    from rag_core.embedded.binaries import find_postgres

    find_postgres()
    if find_spec("alembic") is None:
        return [fail("database", "the embedded Postgres needs alembic", "Run: pip install alembic")]
    return [ok("database", "no RAG_DATABASE_URL: an embedded Postgres, started when needed")]


def newest_revision() -> str:
    """The newest revision that this version knows, by the names of the files: without alembic."""
    versions = Path(__file__).parents[1] / "migrations" / "versions"
    return max(path.stem.partition("_")[0] for path in versions.glob("[0-9]*.py"))


async def _redis(settings: Settings) -> list[Finding]:
    if settings.cache == "memory":
        return [ok("redis", "not used: RAG_CACHE is memory")]
    if settings.redis_url is not None:
        from rag_core.adapters.redis import health

        return await health.examine(settings.redis_url.get_secret_value())
    if settings.cache == "off":
        return [ok("redis", "no RAG_REDIS_URL, and RAG_CACHE is off: nothing is cached")]
    if not _embeds_valkey(settings):
        return [ok("redis", "no RAG_REDIS_URL: caches in the memory of each process")]
    from rag_core.embedded.binaries import find_valkey

    find_valkey()
    return [ok("redis", "no RAG_REDIS_URL: an embedded Valkey, started when needed")]


def _embeds_valkey(settings: Settings) -> bool:
    return settings.cache == "redis" and not settings.redis_url


async def _model(settings: Settings) -> list[Finding]:
    from rag_core.adapters.embedders import health

    return await asyncio.to_thread(
        health.examine,
        settings.embedder_model,
        backend=settings.embedder_backend,
        cache_dir=settings.home / "models",
    )


async def _tokenizer(settings: Settings) -> list[Finding]:
    from rag_core.adapters.llama_tokenizer import tokenizer_file

    size_mb = tokenizer_file(settings.tokenizer).stat().st_size / 1e6
    return [ok("tokenizer", f"Llama 3.2, {size_mb:.0f} MB")]


async def _providers(settings: Settings) -> list[Finding]:
    from rag_core.settings_providers import configured_providers

    configured = configured_providers(settings)
    if not configured:
        return [ok("provider", "none: the extractive generator quotes the notes, free")]
    return list(await asyncio.gather(*map(_provider, configured)))


async def _classes(settings: Settings) -> list[Finding]:
    """Those that are set; none is used of which nothing shows what it costs in quality."""
    from rag_core.class_evidence import proven, read_class_evidence
    from rag_core.settings_classes import usual_budgets, wanted_budgets

    wanted = wanted_budgets(settings)
    if not wanted:
        return []
    evidence = read_class_evidence(settings.class_evidence)
    shown = proven(wanted, usual_budgets(settings), evidence)
    fix = "Take it out, or name a file in RAG_CLASS_EVIDENCE that shows it"
    return [
        ok("classes", f"{kind}: its budgets are used")
        if kind in shown
        else warn("classes", f"{kind}: not used, as nothing shows what its budgets cost", fix)
        for kind in wanted
    ]


async def _provider(provider: ProviderOptions) -> Finding:
    if provider.base_url is None:
        return _of_hugging_face(provider)
    url = provider.base_url.get_secret_value()
    address = urlsplit(url)
    port = address.port or {"http": 80, "https": 443}[address.scheme]
    name = provider.name
    try:
        _, writer = await asyncio.open_connection(address.hostname, port)
    except OSError as error:
        problem = (
            f"{name}: {target(url)} cannot be reached ({error.strerror or type(error).__name__})"
        )
        return fail("provider", problem, "Check its base URL, and that the server runs")
    writer.close()
    return ok("provider", f"{name}: {provider.model} at {target(url)}, which was reached")


def _of_hugging_face(provider: ProviderOptions) -> Finding:
    token = provider.key.get_secret_value() if provider.key else ""
    if not token.startswith("hf_"):
        return fail("provider", "RAG_HF_TOKEN does not begin with hf_", "Copy the whole token")
    return ok("provider", f"{provider.name}: {provider.model}, which was not asked")


_PARTS = (
    _Part("packages", _packages),
    _Part("home", _home, ("RAG_HOME",)),
    _Part("database", _database, ("RAG_DATABASE_URL",)),
    _Part("redis", _redis, ("RAG_REDIS_URL", "RAG_CACHE")),
    _Part("model", _model, ("RAG_EMBEDDER_MODEL", "RAG_EMBEDDER_BACKEND"), files=True),
    _Part("tokenizer", _tokenizer, files=True),
    _Part("provider", _providers, ("RAG_GENERATOR", "RAG_PROVIDERS", "RAG_HF_BASE_URL")),
    _Part("classes", _classes, ("RAG_GENERATOR", "RAG_PROVIDERS", "RAG_CLASS_EVIDENCE")),
)
