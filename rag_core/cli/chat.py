"""The command that talks: questions one after another, each after what was asked before."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Annotated

from typer import Context, Option

from rag_core.cli.application import User, application
from rag_core.cli.ask import below
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable, NotFound, RagError, UnknownUser

if TYPE_CHECKING:
    from rag_core.bootstrap import Application
    from rag_core.conversation import Reply

_HELP = """\
/sources  what the last answer quotes, in full
/stats    how many answers were CACHED, and the dollars that saved
/new      begin anew: nothing that was asked before counts
/help     this
/quit     leave; so does Ctrl-D. Ctrl-C stops an answer, not the chat"""


async def chat(
    context: Context,
    user: User,
    session: Annotated[
        str, Option(metavar="ID", help="Go on with a session; needs RAG_REDIS_URL.")
    ] = "",
) -> None:
    """Talk with a user's notes: each question is taken after those before it.

    A follow-up ("And why?") is made a question of its own, which is shown where it differs. Lines
    may come from a pipe as well. With RAG_REDIS_URL the conversation is kept, and --session goes
    on with it; /help in it names its commands.

    \b
    examples:
      python -m rag_core chat --user golden-law
      python -m rag_core chat --user golden-law < questions.txt
    """
    async with application(context) as app:
        if await app.epochs.epoch(user) is None:
            raise UnknownUser(user)
        talk = Talk(app, user)
        await talk.begin(session)
        with talk.interruptible():
            async for line in _lines():
                if line in ("/quit", "/exit"):
                    break
                await talk.said(line)
        if app.conversations.shared:
            print(f"go on: python -m rag_core chat --user {user} --session {talk.session_id}")


class Talk:
    """One chat in a terminal: its session, its last answer, and what is being answered."""

    def __init__(self, app: Application, user: UserId) -> None:
        self._app, self._user = app, user
        self.session_id = ""
        self._last: Reply | None = None
        self._given: Counter[str] = Counter()
        self._answering: asyncio.Task[None] | None = None

    async def begin(self, session_id: str = "") -> None:
        """Go on with a session, or begin one.

        Raises:
            NotFound: the user has none of that id.
        """
        from rag_core.conversation import new_id

        conversations = self._app.conversations
        try:
            if session_id:
                known = await conversations.read(self._user, session_id)
                for turn in known.turns:
                    print(f"> {turn.asked}")
            else:
                session_id = (await conversations.begin(self._user)).id
        except CacheUnavailable:
            print("Redis cannot be reached: each question is answered on its own")
        self.session_id = session_id or new_id()

    async def said(self, line: str) -> None:
        """Do what a line asks for."""
        if not line:
            return
        if line.startswith("/"):
            await self._commanded(line)
            return
        self._answering = asyncio.create_task(self._answered(line))
        try:
            await self._answering
        except asyncio.CancelledError:
            if not self._answering.cancelled():
                raise  # it is the chat that is to end
            print("\n(stopped)")
        except RagError as error:
            print(f"error: {error}")
        finally:
            self._answering = None
        print()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within the block Ctrl-C stops what is being answered, and nothing else."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def _interrupted(self) -> None:
        if self._answering:
            self._answering.cancel()
        else:
            print("\n/quit leaves", flush=True)

    async def _answered(self, question: str) -> None:
        try:
            await self._streamed(question)
        except NotFound:  # it expired, or Redis lost it
            await self.begin()
            await self._streamed(question)

    async def _streamed(self, question: str) -> None:
        """Print the text as it comes, and what stands below it."""
        from rag_core.conversation import Reply

        seen = ""
        talking = self._app.conversations.stream(
            self._app.pipeline, question, self._user, self.session_id
        )
        async with aclosing(talking) as pieces:
            async for piece in pieces:
                if isinstance(piece, Reply):
                    self._ended(piece, seen)
                else:
                    seen += piece
                    print(piece, end="", flush=True)

    def _ended(self, reply: Reply, seen: str) -> None:
        answer, self._last = reply.answer, reply
        self._given[answer.provenance] += 1
        print()
        if seen.strip() != answer.text.strip():  # what was checked is the final word
            print(f"\nas checked:\n{textwrap.fill(answer.text, 100)}")
        if answer.notice:
            print(answer.notice)
        if reply.resolution.by:
            print(f"(understood as: {reply.resolution.question})")
        print("\n".join(below(answer)))

    async def _commanded(self, line: str) -> None:
        if line == "/new":
            await self.begin()
            self._last = None
            print("begun anew")
        elif line == "/sources":
            print(self._sources())
        elif line == "/stats":
            print(await self._stats())
        else:
            print(_HELP if line == "/help" else f"{line} is no command\n{_HELP}")

    def _sources(self) -> str:
        if self._last is None or not self._last.answer.citations:
            return "no answer with sources yet"
        return "\n\n".join(
            f"[{each.number}] {each.title or each.note_id} ({each.note_id})\n"
            + textwrap.indent(textwrap.fill(each.quote, 96), "    ")
            for each in self._last.answer.citations
        )

    async def _stats(self) -> str:
        answers = (await self._app.pipeline.stats())["answer"]
        given = ", ".join(f"{count} {name}" for name, count in sorted(self._given.items()))
        return (
            f"answers: {self._given.total()} ({given or 'none'})\n"
            f"CACHED: {self._given['CACHED']} of {self._given.total()}; saved"
            f" ${answers.saved_usd:.6f} and {answers.saved_ms / 1000:.1f} s"
        )


async def _lines() -> AsyncIterator[str]:
    """What is typed or piped, line by line; a terminal is asked for it."""
    typed = sys.stdin.isatty()
    if typed:
        import readline  # noqa: F401 - lets what is typed be edited

        print(f"{_HELP}\n")
    while True:
        try:
            line = await asyncio.to_thread(input if typed else _piped, "> ")
        except (EOFError, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError):
                print("error: the input is not UTF-8")
            return
        if not typed:
            print(f"> {line.strip()}")
        yield line.strip()


def _piped(prompt: str) -> str:
    """The next line of a pipe.

    Raises:
        EOFError: it has ended.
    """
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
