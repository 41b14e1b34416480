/**
 * The Service of a cluster that leads clients without a proxy to the primary. It and the routes of the proxies are not moved in
 * one step: between the two they lead to different versions.
 */
import type { Instant } from './instant.ts';
import type { VersionName } from './names.ts';

/**
 * Where such a Service leads now. `name` is the Service's; `problem`: why it is not where it was to be led last; empty
 * where nothing is wrong.
 */
export type PrimaryServiceStanding = { readonly name: string; readonly problem: string } & (
  | { readonly kind: 'Leads'; readonly version: VersionName }
  /** There is none of that name, or it leads to no version of the service. */
  | { readonly kind: 'Nowhere' }
  /** Somebody else has the name: that Service is never touched, and clients go where its owner leads them. */
  | { readonly kind: 'NotOurs' }
);

/** A time in which the routes led to one version, and the Service elsewhere or nowhere. */
export interface PrimaryServiceGap {
  /** The Service's name. */
  readonly name: string;
  /** Where the routes led. */
  readonly routes: VersionName;
  /** Where the Service led; absent: to no version, or it was not ours. */
  readonly service?: VersionName;
  /** When the routes were moved. */
  readonly from: Instant;
  /** When both were seen to lead to the same version again; absent: they do not yet. */
  readonly until?: Instant;
}

/** The most of them that a rollout keeps, the newest: each flip and each way back makes one, and there may be many attempts. */
export const MAX_GAPS = 20;
