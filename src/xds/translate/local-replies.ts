/**
 * What Envoy answers where it found a version but no host that takes the request: 503 with a reason that a program can
 * read. HTTP gets a JSON body; gRPC gets UNAVAILABLE, whose message must stay one plain line.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AccessLogFilterSchema } from '../../gen/envoy/config/accesslog/v3/accesslog_pb.js';
import type { LocalReplyConfigSchema } from '../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { CODE_HEADER, responseHeader } from './answers.ts';

const CODE = 'NO_READY_ENDPOINT';
const MESSAGE = 'the version has no ready endpoint';

/** Envoy's flag for "no healthy upstream host". */
const NO_HEALTHY_HOST = 'UH';

export function localReplies(): MessageInitShape<typeof LocalReplyConfigSchema> {
  const headersToAdd = [responseHeader(CODE_HEADER, CODE)];
  return {
    mappers: [
      {
        filter: { filterSpecifier: { case: 'andFilter', value: { filters: [FROM_GRPC, NO_HOST] } } },
        body: { specifier: { case: 'inlineString', value: MESSAGE } },
        headersToAdd,
      },
      {
        filter: NO_HOST,
        body: {
          specifier: { case: 'inlineString', value: `${JSON.stringify({ code: CODE, message: MESSAGE })}\n` },
        },
        bodyFormatOverride: {
          format: { case: 'textFormatSource', value: WHOLE_BODY },
          contentType: 'application/json',
        },
        headersToAdd,
      },
    ],
  };
}

type Filter = MessageInitShape<typeof AccessLogFilterSchema>;

const NO_HOST: Filter = {
  filterSpecifier: { case: 'responseFlagFilter', value: { flags: [NO_HEALTHY_HOST] } },
};

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
