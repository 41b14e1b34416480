/**
 * YAML text in, documents out: each with its root node, its own text and the target of every alias. What is not
 * plain YAML 1.2 (a syntax error, an unknown tag, another YAML version) becomes a problem instead of a document.
 * Nothing here knows the schema.
 */

import type { Alias, Document, Node, ParsedNode, YAMLError } from 'yaml';
import { isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { DocumentProblem } from '../model/problem.ts';

/** A file as an edge read it. */
export interface SourceFile {
  /** Its name, for messages. */
  readonly file: string;
  readonly text: string;
}

/** One document of a file. */
export interface SourceDocument {
  readonly file: string;
  /** The part of the file's text that is this document; it can be parsed by itself. */
  readonly text: string;
  readonly root: ParsedNode;
  /** What each alias stands for; an alias that is missing here has no anchor before it. */
  readonly aliases: ReadonlyMap<Alias, Node>;
  /** 1-based line and column of an offset into the file's text. */
  readonly position: (offset: number) => Position;
}

/** 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The longest text that is read: 1 MiB. */
export const MAX_TEXT_BYTES = 1_048_576;
/** The most documents of one file. */
export const MAX_DOCUMENTS = 1_000;
/** Faults of YAML syntax that are reported for one document; later ones mostly follow from the first. */
const MAX_SYNTAX_PROBLEMS = 5;

/** Reads the documents of a file; empty ones are left out. */
export function readDocuments({ file, text }: SourceFile): {
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly DocumentProblem[];
} {
  const refuse = (message: string) => ({
    documents: [],
    problems: [fault(file, { line: 1, column: 1 }, message)],
  });
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_TEXT_BYTES)
    return refuse(`the text has ${bytes} bytes; at most ${MAX_TEXT_BYTES} are read`);

  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    // The library's own check compares all keys pairwise; the walk over the schema finds duplicates with a set.
    uniqueKeys: false,
    prettyErrors: false,
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    logLevel: 'silent',
  });
  const all = Array.isArray(parsed) ? parsed : [];
  if (all.length > MAX_DOCUMENTS)
    return refuse(`the file holds ${all.length} documents; at most ${MAX_DOCUMENTS} are read`);

  const documents: SourceDocument[] = [];
  const problems: DocumentProblem[] = [];
  let start = 0;
  for (const [index, document] of all.entries()) {
    const end = index === all.length - 1 ? text.length : document.range[2];
    const ownText = text.slice(start, end);
    start = end;
    const faults = syntaxFaults(document);
    if (faults.length > 0) {
      problems.push(...faults.map(({ offset, message }) => fault(file, position(offset), message)));
    } else if (document.contents !== null && !isEmpty(document.contents)) {
      documents.push({
        file,
        text: ownText,
        root: document.contents,
        aliases: aliasTargets(document),
        position,
      });
    }
  }
  if (documents.length === 0 && problems.length === 0) {
    return refuse('the file holds no document: it is empty or has only comments');
  }
  return { documents, problems };
}

/** A problem of a document as a whole. */
function fault(file: string, { line, column }: Position, message: string): DocumentProblem {
  return { severity: 'error', file, line, column, field: '', message };
}

function syntaxFaults(
  document: Document.Parsed,
): readonly { readonly offset: number; readonly message: string }[] {
  const { version } = document.directives.yaml;
  if (version !== '1.2') {
    return [
      {
        offset: document.range[0],
        message: `is YAML ${version}; leave the %YAML line out or write %YAML 1.2`,
      },
    ];
  }
  return [...document.errors, ...document.warnings]
    .slice(0, MAX_SYNTAX_PROBLEMS)
    .map((error) => ({ offset: error.pos[0], message: syntaxMessage(error) }));
}

function syntaxMessage({ code, message }: YAMLError): string {
  if (/call stack/i.test(message)) return 'is nested too deeply to be read';
  if (code === 'TAG_RESOLVE_FAILED') return `has a tag that is not allowed (${message}): leave it out`;
  return `is not valid YAML: ${message.replaceAll(/\s+/g, ' ')}`;
}

/** Nothing was written between two `---`; a written `null` is not nothing. */
function isEmpty(root: ParsedNode): boolean {
  return isScalar(root) && root.value === null && root.source === '';
}

/** An alias stands for the last node before it that has its anchor. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchored = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias: (_key, alias) => {
      const target = anchored.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
  });
  return targets;
}
