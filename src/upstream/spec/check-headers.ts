import { headerValueFault } from '../../core/header-value.ts'
import { checkHeaderName, forwardFault, isTraceHeader } from '../../core/headers.ts'

/** Refuses a header that cannot be set, or that has an invalid value, with a `TypeError` that names its owner. */
export function checkHeader(owner: string, header: string, value: unknown): void {
  checkHeaderName(owner, header)
  const fault = headerValueFault(value)
  if (fault === undefined) return
  const reason = typeof value === 'string' ? 'contains characters that are not allowed in a header' : 'cannot be sent'
  throw new TypeError(`${owner}: the header '${header}' ${reason}: ${fault}`)
}

/** Refuses a header that no call of an upstream can have with the same value, with a `TypeError` that names its owner. */
export function checkFixedHeader(owner: string, header: string, value: unknown): void {
  checkHeader(owner, header, value)
  if (isTraceHeader(header.toLowerCase()))
    throw new TypeError(
      `${owner}: headers has '${header}', whose value differs from request to request: leave it out, and set ` +
        'traceContext: true',
    )
}

/** Refuses a header that cannot be forwarded, with a `TypeError` that names its owner. */
export function checkForwarded(owner: string, header: string): void {
  checkHeaderName(owner, header)
  if (isTraceHeader(header.toLowerCase()))
    throw new TypeError(
      `${owner}: the header '${header}' cannot be forwarded, since it names the span of the caller, and each ` +
        'attempt has a span of its own: leave it out of forwardHeaders, and set traceContext: true',
    )
  const fault = forwardFault(header)
  if (fault !== undefined)
    throw new TypeError(
      `${owner}: the header '${header}' cannot be forwarded, because it ${fault}: remove it from forwardHeaders`,
    )
}
