/** The names of headers that proxies set: on answers for clients, on copies for instances. */

/** On an answer: the version that gave it, or that was meant to. */
export const VERSION_HEADER = 'x-switchyard-version';
/** On a request: it is a copy. */
export const MIRROR_HEADER = 'x-switchyard-mirror';
