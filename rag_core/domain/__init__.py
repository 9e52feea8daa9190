"""Words: what the pipeline speaks of; standard library only, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

# fmt: off
from rag_core.domain.answer import (
    BROKEN_OFF_TEXT, LEAK_WORDS, REFUSAL_TEXT, Answer, CheckedText, Citation, Flag, Provenance,
    check_completion, leaks, nothing_found, refusal,
)
from rag_core.domain.chunks import Chunk, Chunker, SentenceChunker, WholeNoteChunker
from rag_core.domain.citations import (
    cites, marks_inside_sentences, resolve_citations, without_citations,
)
from rag_core.domain.completion import Completion, Generator, TunableGenerator
from rag_core.domain.condition import ALWAYS, Condition
from rag_core.domain.context import Context, Source, build_context, count_chunk, merge_verses
from rag_core.domain.cost import FREE, NO_USAGE, Prices, Usage
from rag_core.domain.declining import DECLINING_TEXT, declines
from rag_core.domain.document_store import (
    DocumentSearch, DocumentStatus, DocumentStore, DocumentVersion, PendingVersion, QueueLimits,
    StoredDocument, Upload,
)
from rag_core.domain.documents import MAX_DOCUMENT_BYTES, Converter, Document, DocumentType
from rag_core.domain.evidence import fingerprint
from rag_core.domain.feedback import (
    MAX_COMMENT_CHARACTERS, MOST_KEPT, Feedback, FeedbackStore, Thumb, check_feedback,
)
from rag_core.domain.findings import Finding, Level, all_well, fail, ok, warn
from rag_core.domain.imports import LOST_AFTER_S, ImportRecords, ImportState, NoteImport
from rag_core.domain.note_store import (
    Conflict, EmbeddedNote, NoteHead, NoteStore, StoredNotes, StoredVersion,
)
from rag_core.domain.notes import MAX_TITLE_CHARACTERS, Note, Verses, check_note
from rag_core.domain.options import AS_CONFIGURED, Options
from rag_core.domain.paired_shares import PairedShares, Share, share_of, wilson_interval
from rag_core.domain.pipeline_config import PipelineConfig
from rag_core.domain.prompt import (
    GUIDANCE, PROMPT_VERSION, RULES, Message, Prompt, assemble_prompt, count_prompt, prompt_version,
    rules_with,
)
from rag_core.domain.query import (
    EVERYTHING,
    FUSED_DEPTH,
    LEXICAL_WEIGHT,
    Filters,
    Query,
    SearchMode,
)
from rag_core.domain.question import MAX_CHARACTERS, Question, normalise, validate_question
from rag_core.domain.question_class import ClassBudgets, QuestionClass, classify
from rag_core.domain.ranking import (
    DIMENSIONS, HNSW_EF_CONSTRUCTION, HNSW_M, Embedder, Hit, Ranking, Retriever, SearchMethod,
    hit_of,
)
from rag_core.domain.repetition import NEAR_DUPLICATE, Said
from rag_core.domain.sections import split_sections
from rag_core.domain.sentences import sentence_spans, split_sentences
from rag_core.domain.server_url import (
    HTTP, PIECE, POSTGRES, REDIS, check_url, masked, target, without_secrets,
)
from rag_core.domain.stems import stem
from rag_core.domain.tokens import TokenCount, Tokenizer
from rag_core.domain.user import UserId, authenticated
from rag_core.domain.words import MOST_WORDS, asked_words, dimension, word_counts, word_weights

if TYPE_CHECKING:  # numpy is not imported for a name
    from rag_core.domain.ranking import Matrix as Matrix
    from rag_core.domain.ranking import Vector as Vector

__all__ = [
    "ALWAYS", "AS_CONFIGURED", "BROKEN_OFF_TEXT", "DECLINING_TEXT", "DIMENSIONS", "EVERYTHING",
    "FREE", "FUSED_DEPTH", "GUIDANCE", "HNSW_EF_CONSTRUCTION", "HNSW_M", "HTTP", "LEAK_WORDS",
    "LEXICAL_WEIGHT", "LOST_AFTER_S",
    "MAX_CHARACTERS", "MAX_COMMENT_CHARACTERS", "MAX_DOCUMENT_BYTES", "MAX_TITLE_CHARACTERS",
    "MOST_KEPT", "MOST_WORDS", "NEAR_DUPLICATE", "NO_USAGE", "PIECE", "POSTGRES", "PROMPT_VERSION",
    "REDIS", "REFUSAL_TEXT", "RULES", "Answer", "CheckedText", "Chunk", "Chunker", "Citation",
    "ClassBudgets", "Completion", "Condition", "Conflict", "Context", "Converter", "Document",
    "DocumentSearch", "DocumentStatus", "DocumentStore", "DocumentType", "DocumentVersion",
    "EmbeddedNote", "Embedder", "Feedback", "FeedbackStore", "Filters", "Finding", "Flag",
    "Generator", "Hit", "ImportRecords", "ImportState", "Level", "Message", "Note", "NoteHead",
    "NoteImport", "NoteStore", "Options", "PairedShares", "PendingVersion", "PipelineConfig",
    "Prices", "Prompt", "Provenance", "Query", "Question", "QuestionClass", "QueueLimits",
    "Ranking", "Retriever", "Said", "SearchMethod", "SearchMode", "SentenceChunker", "Share",
    "Source", "StoredDocument", "StoredNotes", "StoredVersion", "Thumb", "TokenCount", "Tokenizer",
    "TunableGenerator", "Upload", "Usage", "UserId", "Verses", "WholeNoteChunker", "all_well",
    "asked_words", "assemble_prompt", "authenticated", "build_context", "check_completion",
    "check_feedback", "check_note", "check_url", "cites", "classify", "count_chunk", "count_prompt",
    "declines", "dimension", "fail", "fingerprint", "hit_of", "leaks", "marks_inside_sentences",
    "masked", "merge_verses", "normalise", "nothing_found", "ok", "prompt_version", "refusal",
    "resolve_citations", "rules_with", "sentence_spans", "share_of", "split_sections",
    "split_sentences", "stem", "target", "validate_question", "warn", "wilson_interval",
    "without_citations", "without_secrets", "word_counts", "word_weights",
]
