import type { DeepReadonly } from '../../core/freeze.ts'

/**
 * The options of a batch of keys: an operation that serves many keys with one request. The input of a call of the
 * operation is one key.
 *
 * @typeParam K the type of a key
 * @typeParam I the input of the operation's schemas
 * @typeParam B the answer to a batch; a union with one form per status if the operation has `responses`
 * @typeParam T the value of one key
 */
export interface KeyBatchOptions<K, I, B, T> {
  /** The limit on the keys of one request, from 1 to 1000. */
  readonly maxKeys: number
  /**
   * Returns the input of a request for keys: the fields of `params` and `query`, the body under `body`, and the headers
   * under `headers`. It also makes the request for one key, which identifies the key: keys with equal requests are
   * equal, and only keys with equal headers share a request.
   */
  readonly call: (keys: readonly K[]) => DeepReadonly<I>
  /**
   * Returns the value of a key from the answer to its batch; `undefined` if the answer does not have the key. `index`
   * is the position of the key in the request.
   */
  readonly pick: (answer: NoInfer<DeepReadonly<B>>, key: K, index: number) => T | undefined
}

declare const untyped: unique symbol

/** The type of a key that has no type. The compiler prints its sentence in the error. */
export interface Untyped<Sentence extends string> {
  readonly [untyped]: Sentence
}
