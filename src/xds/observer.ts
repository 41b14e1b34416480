/** What the xDS server tells whoever keeps metrics and logs. All methods are optional and must not throw. */
import type { Milliseconds } from '../model/instant.ts';
import type { ResourceType } from './resource.ts';

export interface XdsObserver {
  connected?(proxy: {
    id: string;
    kind: 'envoy' | 'grpc';
    protocol: 'sotw' | 'delta';
    address: string;
  }): void;
  disconnected?(proxy: { id: string }): void;
  /** A response was written. `bytes` is its size on the wire. */
  pushed?(push: { id: string; type: ResourceType; bytes: number }): void;
  /** A response was acknowledged, so long after it was written. */
  acknowledged?(answer: { id: string; type: ResourceType; after: Milliseconds }): void;
  rejected?(answer: { id: string; type: ResourceType; version: string; message: string }): void;
  /** A stream was ended by the server. `code` is the gRPC status; `error` is there where the server is at fault. */
  refused?(stream: { address: string; code: number; message: string; error?: unknown }): void;
  /** A table became resources: how long that took, and how many there are. */
  translated?(publication: { number: number; took: Milliseconds; resources: number }): void;
}

/** An observer that tells both. */
export function bothObservers(one: XdsObserver, other: XdsObserver): XdsObserver {
  return {
    connected(proxy) {
      one.connected?.(proxy);
      other.connected?.(proxy);
    },
    disconnected(proxy) {
      one.disconnected?.(proxy);
      other.disconnected?.(proxy);
    },
    pushed(push) {
      one.pushed?.(push);
      other.pushed?.(push);
    },
    acknowledged(answer) {
      one.acknowledged?.(answer);
      other.acknowledged?.(answer);
    },
    rejected(answer) {
      one.rejected?.(answer);
      other.rejected?.(answer);
    },
    refused(stream) {
      one.refused?.(stream);
      other.refused?.(stream);
    },
    translated(publication) {
      one.translated?.(publication);
      other.translated?.(publication);
    },
  };
}

/** An observer that tells the one that is the present one at the time. */
export function currentObserver(current: () => XdsObserver): XdsObserver {
  return {
    connected: (proxy) => current().connected?.(proxy),
    disconnected: (proxy) => current().disconnected?.(proxy),
    pushed: (push) => current().pushed?.(push),
    acknowledged: (answer) => current().acknowledged?.(answer),
    rejected: (answer) => current().rejected?.(answer),
    refused: (stream) => current().refused?.(stream),
    translated: (publication) => current().translated?.(publication),
  };
}
