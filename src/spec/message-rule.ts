/** A rule between the fields of one message, and how one is written down. message-rules.ts holds the table of them. */
import type { DescMessage, Message, MessageShape } from '@bufbuild/protobuf';

/** A fault of a message; `field` is the path below it, empty for the message as a whole. */
export interface MessageFault {
  readonly field: string;
  readonly message: string;
}

export interface MessageRule {
  readonly typeName: string;
  /** JSON names of the fields that must be without a fault. */
  readonly uses: readonly string[];
  readonly check: (message: Message) => readonly MessageFault[];
}

/** A rule of messages of one type. */
export function rule<Desc extends DescMessage>(
  desc: Desc,
  uses: readonly string[],
  check: (message: MessageShape<Desc>) => readonly MessageFault[],
): MessageRule {
  return { typeName: desc.typeName, uses, check: (message) => check(message as MessageShape<Desc>) };
}

/** One fault where something is wrong, else none. */
export function faultIf(isWrong: boolean, field: string, message: () => string): readonly MessageFault[] {
  return isWrong ? [{ field, message: message() }] : [];
}
