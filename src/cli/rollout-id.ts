/** Which rollout a user means: an id has an underscore, which no name of a service has. */
import type { AdminClient } from '../admin/client.ts';
import { soon } from './connection.ts';

/** The id as it was given, or that of the rollout of a service that goes on or was its last. */
export async function rolloutIdOf(client: AdminClient, text: string): Promise<string> {
  if (text.includes('_')) return text;
  const { view } = await client.call('getRollout', { service: text }, soon());
  return view?.rollout?.id ?? text;
}
