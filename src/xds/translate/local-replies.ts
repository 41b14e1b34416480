/**
 * What Envoy answers where it found a version but no host that takes the request: 503 with a reason that a program can
 * read. HTTP gets a JSON body; gRPC gets UNAVAILABLE, whose message must stay one plain line.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AccessLogFilterSchema } from '../../gen/envoy/config/accesslog/v3/accesslog_pb.js';
import type {
  LocalReplyConfigSchema,
  ResponseMapperSchema,
} from '../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { CODE_HEADER } from '../../model/answer.ts';
import { overwriteHeader } from './answers.ts';

/** Envoy's response flags that we give a reason for. In both cases no instance has begun the request. */
const REASONS = [
  { flag: 'UH', code: 'NO_READY_ENDPOINT', message: 'the version has no ready endpoint' },
  { flag: 'UF', code: 'INSTANCE_UNREACHABLE', message: 'no instance of the version could be reached' },
] as const;

export function localReplies(): MessageInitShape<typeof LocalReplyConfigSchema> {
  return { mappers: REASONS.flatMap(mappersOf) };
}

function mappersOf({ flag, code, message }: (typeof REASONS)[number]): Mapper[] {
  const flagged: Filter = { filterSpecifier: { case: 'responseFlagFilter', value: { flags: [flag] } } };
  const headersToAdd = [overwriteHeader(CODE_HEADER, code)];
  return [
    {
      filter: { filterSpecifier: { case: 'andFilter', value: { filters: [FROM_GRPC, flagged] } } },
      body: { specifier: { case: 'inlineString', value: message } },
      headersToAdd,
    },
    {
      filter: flagged,
      body: { specifier: { case: 'inlineString', value: `${JSON.stringify({ code, message })}\n` } },
      bodyFormatOverride: {
        format: { case: 'textFormatSource', value: WHOLE_BODY },
        contentType: 'application/json',
      },
      headersToAdd,
    },
  ];
}

type Filter = MessageInitShape<typeof AccessLogFilterSchema>;
type Mapper = MessageInitShape<typeof ResponseMapperSchema>;

const FROM_GRPC: Filter = {
  filterSpecifier: {
    case: 'headerFilter',
    value: {
      header: {
        name: 'content-type',
        headerMatchSpecifier: {
          case: 'stringMatch',
          value: { matchPattern: { case: 'safeRegex', value: { regex: 'application/grpc(\\+.*)?' } } },
        },
      },
    },
  },
};

const WHOLE_BODY = { specifier: { case: 'inlineString' as const, value: '%LOCAL_REPLY_BODY%' } };
