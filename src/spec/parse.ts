/**
 * The two documents that users write, from text to model: services, and the watched file of the `endpoints` runtime.
 * Every fault is collected with its place; a document with a fault gives no model, so nothing is used in part.
 */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { EndpointsFileSchema, VersionedServiceSchema } from '../gen/switchyard/config/v1/config_pb.js';
import type { DocumentProblem, ServiceProblem } from '../model/problem.ts';
import type { EndpointsVersion, VersionedService } from '../model/spec.ts';
import type { Findings } from './findings.ts';
import { lintEndpoints } from './lint-runtime.ts';
import { type Position, readDocuments, type SourceDocument, type SourceFile } from './source.ts';
import { toEndpointsVersion, toService } from './to-model.ts';
import { walkDocument } from './walk.ts';

/** One service of a file. */
export interface ParsedService {
  readonly spec: VersionedService;
  /** The text of its document alone, as the user wrote it. */
  readonly document: string;
  /** Gives a finding about this service its place in the file. */
  readonly place: (problem: ServiceProblem) => DocumentProblem;
}

/** Reads every VersionedService document of a file. */
export function parseServices(source: SourceFile): {
  readonly services: readonly ParsedService[];
  readonly problems: readonly DocumentProblem[];
} {
  const { documents, problems: syntaxProblems } = readDocuments(source);
  const problems = [...syntaxProblems];
  const services: ParsedService[] = [];
  const named = new Map<string, Position>();
  for (const document of documents) {
    const { message, findings } = walkFaultless(VersionedServiceSchema, document, problems);
    if (message === undefined) continue;
    const spec = toService(message);
    const earlier = named.get(spec.name);
    if (earlier !== undefined) {
      findings.add(
        'metadata.name',
        `"${spec.name}" is the name of the document in line ${earlier.line} too: each service has one document`,
      );
      problems.push(...findings.problems);
      continue;
    }
    named.set(spec.name, findings.position('metadata.name'));
    const place = ({ severity, field, message: text }: ServiceProblem): DocumentProblem => {
      const { line, column } = findings.position(field);
      return { severity, file: source.file, line, column, field, message: text };
    };
    services.push({ spec, document: document.text, place });
  }
  return { services, problems: sorted(problems) };
}

/** Reads the watched file of the `endpoints` runtime: one document with `versions`. */
export function parseEndpointsFile(source: SourceFile): {
  /** Empty where a problem is an error; then nothing of the file must be used. */
  readonly versions: readonly EndpointsVersion[];
  /** Errors, or else what `lint` finds. */
  readonly problems: readonly DocumentProblem[];
} {
  const { documents, problems: syntaxProblems } = readDocuments(source);
  const problems = [...syntaxProblems];
  const [document, second] = documents;
  if (document === undefined) return { versions: [], problems };
  if (second !== undefined) {
    const { line, column } = second.position(second.root.range[0]);
    const message = 'the file holds more than one document: one lists all versions';
    problems.push({ severity: 'error', file: source.file, line, column, field: '', message });
  }
  const { message, findings } = walkFaultless(EndpointsFileSchema, document, problems);
  if (message === undefined || problems.length > 0) return { versions: [], problems: sorted(problems) };
  const versions = message.versions.map(toEndpointsVersion);
  const warnings = lintEndpoints(versions, 'versions').map(({ field, message: text }): DocumentProblem => {
    const { line, column } = findings.position(field);
    return { severity: 'warning', file: source.file, line, column, field, message: text };
  });
  return { versions, problems: warnings };
}

/** The message of a document, or undefined with its problems added to `problems`. */
export function walkFaultless<Desc extends DescMessage>(
  desc: Desc,
  document: SourceDocument,
  problems: DocumentProblem[],
): { readonly message: MessageShape<Desc> | undefined; readonly findings: Findings } {
  const { message, findings } = walkDocument(desc, document);
  if (findings.problems.length === 0) return { message, findings };
  problems.push(...worthReporting(findings));
  return { message: undefined, findings };
}

/** A document of another kind breaks every rule of this one; only its kind is worth a message. */
function worthReporting(findings: Findings): readonly DocumentProblem[] {
  const isOfAnotherKind = findings.isWritten('kind') && findings.isBroken('kind');
  if (!isOfAnotherKind) return findings.problems;
  return findings.problems.filter(({ field }) => field === 'kind' || field === 'apiVersion');
}

function sorted(problems: readonly DocumentProblem[]): readonly DocumentProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
