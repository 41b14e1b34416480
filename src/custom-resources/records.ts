/** What is recorded, by service: cheaper than what operators see of all services, which is put together for each of them. */
import type { ServiceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';

export type Records = () => ReadonlyMap<ServiceName, ServiceRecord>;
