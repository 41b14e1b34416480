/** Makes a whole message of the API fit to be shown, so that no view forgets a field. Pure. */
import { visible } from '../model/text.ts';

/** The same message with each text on one line and nothing in it that moves a cursor or changes colours. */
export function visibleFields<Message>(message: Message): Message {
  return shown(message) as Message;
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, shown(part)]));
}
