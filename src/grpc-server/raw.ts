/** Methods whose messages are handed on as bytes: who reads them decides when, and what is passed on is not read at all. */
const asIs = (bytes: Buffer): Buffer => bytes;

/** What a method's definition says of its messages. */
export const RAW = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};
