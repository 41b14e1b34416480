/** One step of a document in, one step of the definition out. What kind it is says the one key that it has of KINDS. */
import { isScalar, type Node } from 'yaml';
import type { Json } from '../../../model/json.ts';
import { DEFAULT_RETRY, DEFAULTS, MAX_DEPTH } from '../bounds.ts';
import {
  type Condition,
  HTTP_METHODS,
  ON_FAILURE,
  type PipelineStep,
  type RetryPolicy,
} from '../definition.ts';
import type { Fields, NodeReader } from './nodes.ts';

const KINDS = ['shell', 'http', 'wait', 'approval', 'sequence', 'parallel', 'pipeline'] as const;
type Kind = (typeof KINDS)[number];

const COMMON = ['name', 'when', 'retry'];
const DELEGATE = ['tags', 'timeout', 'maxAttempts'];
/** What may stand beside the key of a kind. */
const BESIDE: Readonly<Record<Kind, readonly string[]>> = {
  shell: ['env', 'workingDirectory', ...DELEGATE],
  http: DELEGATE,
  wait: [],
  approval: ['timeout'],
  sequence: ['timeout'],
  parallel: ['onFailure', 'timeout'],
  pipeline: ['input', 'timeout'],
};

/** The steps of a list. */
export function readSteps(
  reader: NodeReader,
  node: Node,
  path: string,
  depth = 1,
): readonly PipelineStep[] | undefined {
  if (depth > MAX_DEPTH) {
    reader.findings.add(path, `is nested ${depth} levels deep; at most ${MAX_DEPTH} are allowed`);
    return undefined;
  }
  return reader.list(node, path, (item, own) => readStep(reader, item, own, depth));
}

function readStep(reader: NodeReader, node: Node, path: string, depth: number): PipelineStep | undefined {
  const fields = reader.mapping(node, path);
  if (fields === undefined) return undefined;
  const kind = kindOf(reader, fields);
  if (kind === undefined) return undefined;
  fields.only([...COMMON, kind, ...BESIDE[kind]]);
  const name = fields.required('name', 'what the step is called', (...at) => reader.text(...at));
  const when = fields.optional('when', (...at) => readCondition(reader, ...at));
  const retry = fields.optional('retry', (...at) => readRetry(reader, ...at));
  const step = readKind({ reader, fields, kind, name: name ?? '', depth });
  if (step === undefined || name === undefined) return undefined;
  return { ...step, ...(when === undefined ? {} : { when }), ...(retry === undefined ? {} : { retry }) };
}

/** The kind whose key the mapping has; a fault where that is none or several. */
function kindOf(reader: NodeReader, fields: Fields): Kind | undefined {
  const given = fields.given(KINDS);
  if (given.length === 1) return KINDS.find((kind) => kind === given[0]);
  const kinds = KINDS.join(', ');
  const message =
    given.length === 0
      ? `needs one of ${kinds}`
      : `has ${given.join(' and ')}: only one of ${kinds} may be given`;
  reader.findings.add(fields.path, message);
  fields.only([...COMMON, ...KINDS, ...new Set(Object.values(BESIDE).flat())]);
  return undefined;
}

interface KindContext {
  readonly reader: NodeReader;
  readonly fields: Fields;
  readonly kind: Kind;
  readonly name: string;
  readonly depth: number;
}

function readKind(context: KindContext): PipelineStep | undefined {
  const { reader, fields, kind, name, depth } = context;
  const timeout = fields.optional('timeout', (...at) => reader.duration(...at));
  const limit = timeout === undefined ? {} : { timeout };
  switch (kind) {
    case 'shell': {
      const command = fields.optional('shell', (...at) => reader.text(...at));
      const env = fields.optional('env', (...at) => textRecord(reader, ...at)) ?? {};
      const workingDirectory = fields.optional('workingDirectory', (...at) => reader.text(...at)) ?? '';
      const facts = readDelegate(reader, fields);
      return command === undefined
        ? undefined
        : { kind, name, command, env, workingDirectory, ...facts, ...limit };
    }
    case 'http':
      return readHttp(context, limit);
    case 'wait': {
      const duration = fields.optional('wait', (...at) => reader.duration(...at));
      return duration === undefined ? undefined : { kind, name, duration };
    }
    case 'approval':
      return readApproval(context, limit);
    case 'sequence': {
      const steps = fields.optional(kind, (...at) => readSteps(reader, ...at, depth + 1));
      return steps === undefined ? undefined : { kind, name, steps, ...limit };
    }
    case 'parallel': {
      const steps = fields.optional(kind, (...at) => readSteps(reader, ...at, depth + 1));
      const onFailure =
        fields.optional('onFailure', (...at) => reader.word(...at, ON_FAILURE)) ?? DEFAULTS.onFailure;
      return steps === undefined ? undefined : { kind, name, steps, onFailure, ...limit };
    }
    case 'pipeline': {
      const pipeline = fields.optional('pipeline', (...at) => reader.text(...at));
      const read = (node: Node, path: string) => reader.record(node, path, (...at) => reader.json(...at));
      const input: Readonly<Record<string, Json>> = fields.optional('input', read) ?? {};
      return pipeline === undefined ? undefined : { kind, name, pipeline, input, ...limit };
    }
  }
}

function readDelegate(reader: NodeReader, fields: Fields) {
  return {
    tags: fields.optional('tags', (...at) => textList(reader, ...at)) ?? [],
    timeout: DEFAULTS.taskTimeout,
    maxAttempts: fields.optional('maxAttempts', (...at) => reader.whole(...at)) ?? DEFAULTS.maxAttempts,
  };
}

function readHttp(
  { reader, fields, name }: KindContext,
  limit: { readonly timeout?: number },
): PipelineStep | undefined {
  const facts = readDelegate(reader, fields);
  const call = fields.optional('http', (node, path) => {
    const own = reader.fields(node, path, ['method', 'url', 'headers', 'body', 'expectStatus']);
    const url = own?.required('url', 'where to call', (...at) => reader.text(...at));
    if (own === undefined || url === undefined) return undefined;
    const statuses = (list: Node, at: string) => reader.list(list, at, (...each) => reader.whole(...each));
    const body = own.optional('body', (...at) => reader.json(...at));
    return {
      url,
      method: own.optional('method', (...at) => reader.word(...at, HTTP_METHODS)) ?? DEFAULTS.method,
      headers: own.optional('headers', (...at) => textRecord(reader, ...at)) ?? {},
      expectStatus: own.optional('expectStatus', statuses) ?? [],
      ...(body === undefined ? {} : { body }),
    };
  });
  return call === undefined ? undefined : { kind: 'http', name, ...call, ...facts, ...limit };
}

function readApproval(
  { reader, fields, name }: KindContext,
  limit: { readonly timeout?: number },
): PipelineStep | undefined {
  const facts = fields.optional('approval', (node, path) => {
    const own = reader.fields(node, path, ['approvers', 'message']);
    return (
      own && {
        approvers: own.optional('approvers', (...at) => textList(reader, ...at)) ?? [],
        message: own.optional('message', (...at) => reader.text(...at)) ?? '',
      }
    );
  });
  return facts && { kind: 'approval', name, ...facts, timeout: limit.timeout ?? DEFAULTS.approvalTimeout };
}

function readRetry(reader: NodeReader, node: Node, path: string): RetryPolicy | undefined {
  const fields = reader.fields(node, path, ['attempts', 'backoff', 'factor', 'maxBackoff']);
  return (
    fields && {
      attempts: fields.optional('attempts', (...at) => reader.whole(...at)) ?? DEFAULT_RETRY.attempts,
      backoff: fields.optional('backoff', (...at) => reader.duration(...at)) ?? DEFAULT_RETRY.backoff,
      factor: fields.optional('factor', (...at) => reader.number(...at)) ?? DEFAULT_RETRY.factor,
      maxBackoff:
        fields.optional('maxBackoff', (...at) => reader.duration(...at)) ?? DEFAULT_RETRY.maxBackoff,
    }
  );
}

/** `when: "${input.deploy}"` is short for a value that must be true. */
function readCondition(reader: NodeReader, node: Node, path: string): Condition | undefined {
  if (isScalar(node)) {
    const value = reader.text(node, path);
    return value === undefined ? undefined : { kind: 'Equals', value, operand: true };
  }
  const fields = reader.fields(node, path, ['value', 'equals', 'notEquals']);
  const value = fields?.required('value', 'what is compared', (...at) => reader.json(...at));
  if (fields === undefined) return undefined;
  const given = fields.given(['equals', 'notEquals']);
  if (given.length !== 1) {
    reader.findings.add(path, 'needs equals or notEquals, and only one of them');
    return undefined;
  }
  const equals = fields.optional('equals', (...at) => reader.json(...at));
  const operand = equals ?? fields.optional('notEquals', (...at) => reader.json(...at));
  if (value === undefined || operand === undefined) return undefined;
  return { kind: given[0] === 'equals' ? 'Equals' : 'NotEquals', value, operand };
}

function textList(reader: NodeReader, node: Node, path: string): readonly string[] | undefined {
  return reader.list(node, path, (...at) => reader.text(...at));
}

function textRecord(
  reader: NodeReader,
  node: Node,
  path: string,
): Readonly<Record<string, string>> | undefined {
  return reader.record(node, path, (...at) => reader.text(...at));
}
