import type { z } from 'zod'
import type { DeepReadonly } from '../../core/freeze.ts'
import type { BodyType } from './body-type.ts'
import type { HeadersSchema, Schema } from './inference.ts'
import type { KeyBatchOptions } from './key-batch-options.ts'
import type { Responses } from './response-types.ts'

/** The type as which an operation reads a body. */
export type ResponseType = 'json' | 'text' | 'bytes'

/**
 * Options of `operation`.
 *
 * @example
 * ```ts
 * import { operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const createOrder = operation({
 *   method: 'POST',
 *   path: '/orders',
 *   body: z.object({ sku: z.string(), count: z.int() }),
 *   output: z.object({ id: z.string() }),
 *   idempotencyKey: ({ body }) => `order-${body.sku}`,
 * })
 * ```
 */
export interface OperationOptions<P, O, Pa, Q, B, H, I, R, KB = never> {
  /** The method. @default 'GET' */
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'QUERY' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /**
   * Declares that a POST only reads, as a QUERY does. Its calls are then safe: they are retried, hedged and aborted
   * like a GET, and `coalesce` and `cache` are allowed. The body is part of what makes calls equal.
   * @default false
   */
  readonly safe?: boolean
  /**
   * Path template below the origin and its base path: `/breeds/{id}`. A name stands for one segment or a part of one.
   * A name with a plus sign, as in `/files/{path+}`, stands for one or several whole segments.
   */
  readonly path: P
  /**
   * The schema of the values of the path, with one entry per name. Each value is encoded and stays inside its segment
   * or, for a name with a plus sign, inside its segments.
   * @default none, for a path without names
   */
  readonly params?: Pa
  /** The schema of the query. @default no query */
  readonly query?: Q
  /**
   * The schema of the body, which is sent as JSON or in the format of `bodyType`. The input of a call contains the body
   * under `body`. With `undefined` no body is sent.
   * @default no body
   */
  readonly body?: B
  /**
   * The format of the body. `form` (`application/x-www-form-urlencoded`) and `multipart` (`multipart/form-data`) are
   * written from an object with a field for each value, `text` from a string, and `bytes` from a `Uint8Array`
   * or a stream of them.
   * @default 'json'
   */
  readonly bodyType?: BodyType
  /**
   * The `content-type` of a body of the type `json`, `text` or `bytes`, for example `application/vnd.api+json`.
   * @default `application/json`, `text/plain;charset=utf-8` or `application/octet-stream`, by the type of the body
   */
  readonly contentType?: string
  /**
   * The schema of the answer. Fields that it does not name are dropped.
   * @default none; it is required without `responses`
   */
  readonly output?: O
  /**
   * The schemas of the bodies of several statuses, in place of `output`: `{ 200: Order, 409: Conflict }`. Each listed
   * status is an answer, and the call returns `{ status, body }`. An empty body is `null`, for example for `z.null()`.
   * With 408, 425, 429 and 5xx an attempt fails as without `responses`. The call then returns its last answer.
   * @default none; every 2xx is an answer that `output` reads
   */
  readonly responses?: R
  /**
   * The schema of request headers, for example of a tenant: an object schema with a field for each header. The input of
   * a call contains them under `headers`. A field that is `undefined` or `null` is not sent. These headers replace
   * headers of the upstream with the same name, and are part of what makes calls equal.
   * @default no headers
   */
  readonly headers?: HeadersSchema
  /**
   * The way in which the body is read.
   * @default 'json'
   */
  readonly responseType?: ResponseType
  /**
   * The media types that are accepted, without parameters.
   * @default JSON types for 'json', `text/*` for 'text', `*\/*` for 'bytes'
   */
  readonly accept?: readonly string[]
  /**
   * Accepts an empty body as an answer with the value `null`. A HEAD operation with the response type `json` needs it.
   * @default false
   */
  readonly allowEmpty?: boolean
  /** Statuses for which the call returns `null`, for example 404. @default [] */
  readonly nullOn?: readonly number[]
  /**
   * The schema of response headers. With it, the call returns `{ body, headers }`, and `{ status, body, headers }` with
   * `responses`.
   * @default no headers, only the body
   */
  readonly responseHeaders?: H
  /**
   * Lets equal calls in flight share one answer, which is frozen. Do not set it if answers must differ. With
   * `'replicas'`, equal calls of all replicas share it through the store of `cache`, which the operation then needs. It
   * has the effect of `true` if the store has no leases.
   * @default false
   */
  readonly coalesce?: boolean | 'replicas'
  /**
   * Stores answers and shares them. With `true`, an answer is used for as long as its headers allow (RFC 9111, as a
   * shared cache). With times, they apply to answers whose headers give no time. Only the answers of GET, HEAD, QUERY
   * and a POST with `safe: true` can be stored. Equal calls in flight then share one answer too.
   * @default false
   */
  readonly cache?: boolean | CacheOptions
  /** Returns the `idempotency-key` of a call, so that a method such as POST can be retried. @default no key */
  readonly idempotencyKey?: (input: DeepReadonly<I>) => string
  /**
   * Lets calls of one run share requests. The input of a call is one key, and a request has up to `maxKeys` keys of
   * calls that start in the same turn of the event loop. The values are frozen.
   * @default each call is one request
   */
  readonly keyBatch?: KB
  /**
   * If true, the calls of a batch of a caller may name the operation. It must read and write JSON values.
   * @default false
   */
  readonly batch?: boolean
}

/** The freshness times of answers whose headers give no times. The headers of the upstream take precedence. */
export interface CacheOptions {
  /** The time from receipt for which an answer is fresh, in ms. @default 0 */
  readonly ttl?: number
  /**
   * The time after the end of freshness in which callers get the stale answer at once, in ms. One call in the
   * background fetches a new answer.
   * @default 0
   */
  readonly staleWhileRevalidate?: number
  /**
   * The time after the end of freshness in which callers get the stale answer if the call to the upstream fails, in ms.
   * @default 0
   */
  readonly staleIfError?: number
  /**
   * The time that a call waits for the upstream, in ms, before it uses the stale answer that `staleIfError` allows. The
   * request to the upstream then continues in the background.
   * @default the 98th percentile of the operation's latencies, and 100 until 100 latencies are known
   */
  readonly staleAfter?: number
}

/** The options of any operation. */
export type AnyOperationOptions = OperationOptions<
  string,
  z.ZodType,
  z.ZodType | undefined,
  Schema,
  Schema,
  Schema,
  never,
  Responses | undefined,
  KeyBatchOptions<never, unknown, never, unknown>
>
