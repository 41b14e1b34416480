/** Messages of Envoy's access log service: which proxy, and its entries; or only how many, for what is not read. */
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { HTTPAccessLogEntry } from '../../gen/envoy/data/accesslog/v3/accesslog_pb.js';
import {
  StreamAccessLogsMessage_HTTPAccessLogEntriesSchema,
  StreamAccessLogsMessageSchema,
} from '../../gen/envoy/service/accesslog/v3/als_pb.js';
import { visible } from '../../model/text.ts';

export interface LogMessage {
  /** The node id; only the first message of a stream says it. */
  readonly proxy?: string;
  readonly entries: readonly HTTPAccessLogEntry[];
}

const LONGEST_ID = 256;

/** Reads a message. Throws where the bytes are none. */
export function readMessage(bytes: Uint8Array): LogMessage {
  const { identifier, logEntries } = fromBinary(StreamAccessLogsMessageSchema, bytes);
  const id = identifier?.node?.id;
  return {
    ...(id === undefined ? {} : { proxy: visible(id, LONGEST_ID) }),
    entries: logEntries.case === 'httpLogs' ? logEntries.value.logEntry : [],
  };
}

const HTTP_LOGS = StreamAccessLogsMessageSchema.field.httpLogs.number;
const LOG_ENTRY = StreamAccessLogsMessage_HTTPAccessLogEntriesSchema.field.logEntry.number;

/** How many entries a message has, without reading them. Throws where the bytes are no message. */
export function countEntries(bytes: Uint8Array): number {
  return parts(bytes, HTTP_LOGS).reduce((sum, logs) => sum + parts(logs, LOG_ENTRY).length, 0);
}

/** The values of one field, which are messages. */
function parts(bytes: Uint8Array, field: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === field && wireType === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(wireType, number);
  }
  return found;
}
