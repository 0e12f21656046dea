import { checkHeaderName, forwardFault } from '../../core/headers.ts'
import { checkTextOption } from '../../core/option-values.ts'

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Refuses a header that cannot be set, or that has an invalid value, with a `TypeError` that names its owner. */
export function checkHeader(owner: string, header: string, value: string): void {
  checkHeaderName(owner, header)
  checkTextOption(owner, `the header '${header}'`, value, "'cats/1.0'")
  if (!headerValue.test(value))
    throw new TypeError(`${owner}: the header '${header}' holds characters that no header may hold`)
}

/** Refuses a header that cannot be forwarded, with a `TypeError` that names its owner. */
export function checkForwarded(owner: string, header: string): void {
  checkHeaderName(owner, header)
  const fault = forwardFault(header)
  if (fault !== undefined)
    throw new TypeError(
      `${owner}: the header '${header}' cannot be forwarded, since it ${fault}: leave it out of forwardHeaders`,
    )
}
