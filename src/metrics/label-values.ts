import { errors } from '../errors.ts'

/** The fixed list of the values of a label. Each value has an index, and all unknown values share the last one. */
export class LabelValues {
  readonly values: readonly string[]
  readonly #indexes: ReadonlyMap<string, number>
  readonly #other: number

  /** @param other The value that stands for all unknown values. */
  constructor(known: readonly string[], other = 'other') {
    this.values = [...known, other]
    this.#other = known.length
    this.#indexes = new Map(this.values.map((value, index) => [value, index]))
  }

  indexOf(value: string): number {
    const index = this.#indexes.get(value)
    return index === undefined ? this.#other : index
  }
}

/** The methods of `http.request.method` in the conventions of OpenTelemetry that are registered and in use. */
export const methods = new LabelValues(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'], '_OTHER')

/** The final status codes of the registry of IANA. */
const registered = [
  200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 402, 403, 404,
  405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451,
  500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
]

/** The values of a status: none, a registered code, or `other`. */
export const statuses: readonly string[] = ['', ...registered.map(String), 'other']

const statusIndexes = new Uint8Array(600).fill(statuses.length - 1)
for (const [at, status] of registered.entries()) statusIndexes[status] = at + 1

/** Returns the index of a status in `statuses`. `undefined` stands for a response that did not arrive. */
export function statusIndexOf(status: number | undefined): number {
  if (status === undefined) return 0
  const index = statusIndexes[status]
  return index === undefined ? statuses.length - 1 : index
}

/** The codes with which an attempt or a call can end, without custom layers. */
export const callCodes = new LabelValues([
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_TLS',
  'UPSTREAM_AUTH',
  'ADDRESS_REFUSED',
  'UPSTREAM_RESET',
  'UPSTREAM_PROTOCOL',
  'UPSTREAM_STATUS',
  'UPSTREAM_BUSY',
  'UPSTREAM_CONTENT_TYPE',
  'UPSTREAM_ENCODING',
  'UPSTREAM_TOO_LARGE',
  'UPSTREAM_JSON',
  'UPSTREAM_SCHEMA',
  'UPSTREAM_KEY_MISSING',
  'UPSTREAM_TIMEOUT',
  'OUTCOME_UNKNOWN',
  'BULKHEAD_FULL',
  'BREAKER_OPEN',
  'UPSTREAM_OFF',
  'RUNTIME_CLOSED',
  'LOCAL_RESOURCES',
  'STEP_TIMEOUT',
  'SHED',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'INTERNAL',
])

/** The codes with which a request is refused before its run. */
export const refusalCodes = new LabelValues([
  'BAD_REQUEST',
  'UNAUTHENTICATED',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'NOT_ACCEPTABLE',
  'REQUEST_TIMEOUT',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'EXPECTATION_FAILED',
  'MISDIRECTED',
  'RATE_LIMITED',
  'HEADERS_TOO_LARGE',
  'TRANSFER_ENCODING_UNSUPPORTED',
  'OVERLOADED',
  'DRAINING',
  'INPUT_INVALID',
  'RUN_STATE_CONFLICT',
  'RANGE_NOT_SATISFIABLE',
  'IDEMPOTENCY_KEY_REUSED',
  'QUOTA_EXCEEDED',
  'STORE_UNAVAILABLE',
  'REFUSED',
  'INTERNAL',
])

/** The codes with which a step or a run can end. */
export const allCodes = new LabelValues(Object.keys(errors))
