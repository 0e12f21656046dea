import { z } from 'zod'
import { checkBoolean, checkTextList, checkTextOption } from '../../core/option-values.ts'
import { checkText } from '../../core/schema/check-text.ts'
import { isOpen } from '../../core/schema/depth.ts'
import { headerFields, type HeaderFields } from '../../core/schema/header-fields.ts'
import { textSchema } from '../../core/schema/text-schema.ts'
import type { ListedStatuses } from './check-responses.ts'
import type { AnyOperationOptions, ResponseType } from './operation-options.ts'

/** The way in which the responses of an operation are read. */
export interface ResponseSpec {
  /** The schema of an answer. With `responses` it accepts nothing. */
  readonly output: z.ZodType
  /** The listed statuses; `undefined` if every 2xx is an answer. */
  readonly responses: ListedStatuses | undefined
  /** True if the output allows values of any depth, so that the depth is checked. */
  readonly isOpen: boolean
  readonly responseType: ResponseType
  readonly accept: readonly string[]
  readonly allowEmpty: boolean
  readonly nullOn: readonly number[]
  readonly responseHeaders: z.ZodType | undefined
  /** The headers that `responseHeaders` reads. */
  readonly headerFields: HeaderFields | undefined
}

const acceptDefaults = {
  json: ['application/json', 'application/*+json', 'text/json'],
  text: ['text/*'],
  bytes: ['*/*'],
} as const
const responseTypes: ReadonlySet<unknown> = new Set(['json', 'text', 'bytes'] satisfies ResponseType[])

/**
 * Checks the options of an operation that say how its responses are read, and adds their defaults.
 *
 * @param responses The listed statuses; `undefined` without `responses`.
 */
export function checkResponse(
  name: string,
  method: string,
  options: AnyOperationOptions,
  responses?: ListedStatuses,
): ResponseSpec {
  const { output = z.never(), responseType = 'json', nullOn = [], responseHeaders } = options
  // An empty body is `null`, which the schema of its status accepts or refuses.
  const { allowEmpty = responses !== undefined } = options
  checkBoolean(name, 'allowEmpty', allowEmpty)
  checkTextOption(name, 'responseType', responseType, "'json'")
  if (!responseTypes.has(responseType))
    throw new TypeError(`${name}: responseType must be 'json', 'text' or 'bytes', got '${responseType as string}'`)
  const { accept = acceptDefaults[responseType] } = options
  checkAccept(name, accept)
  if (method === 'HEAD' && responseType === 'json' && !allowEmpty)
    throw new TypeError(`${name}: the response to HEAD has no body, so it cannot be JSON: set allowEmpty: true`)
  checkNullOn(name, nullOn)
  const fields = responseHeaders && headerFields(`${name}, responseHeaders`, responseHeaders)
  if (fields?.spelled.has('set-cookie'))
    throw new TypeError(`${name}: cookies are not part of a response value: remove set-cookie from responseHeaders`)
  checkText(`${name}, responseHeaders`, responseHeaders)
  return {
    output,
    responses,
    isOpen: responses === undefined ? isOpen(output) : [...responses.values()].some(({ schema }) => isOpen(schema)),
    responseType,
    accept,
    allowEmpty,
    nullOn,
    responseHeaders: responseHeaders && textSchema(responseHeaders),
    headerFields: fields,
  }
}

function checkNullOn(name: string, nullOn: readonly number[]): void {
  if (!Array.isArray(nullOn))
    throw new TypeError(`${name}: nullOn must be a list of statuses from 400 to 499, for example [404]`)
  for (const status of nullOn) {
    if (!Number.isInteger(status) || status < 400 || status > 499)
      throw new TypeError(`${name}: nullOn must contain only statuses from 400 to 499, got ${status}`)
  }
}

const mediaRange = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Refuses a list of media types that accepts no answer. */
function checkAccept(owner: string, accept: readonly string[]): void {
  checkTextList(owner, 'accept', accept, "['text/csv']")
  if (accept.length === 0)
    throw new TypeError(`${owner}: accept is empty, so no response is accepted: remove it, or name a media type`)
  for (const range of accept) {
    if (!mediaRange.test(range))
      throw new TypeError(
        `${owner}: accept has '${range}', which is not a media type: write type/subtype without parameters, ` +
          `for example 'application/xml' or 'text/*'`,
      )
  }
}
