import type { z } from 'zod'
import { isJsonType, mediaTypeFault, readMediaType, type MediaType } from '../../core/media-type.ts'
import { checkTextOption } from '../../core/option-values.ts'
import { checkWritten } from '../../core/schema/check-written.ts'
import type { BodyType } from './body-type.ts'
import type { AnyOperationOptions } from './operation-options.ts'

/** The way in which the body of a request is written. */
export interface BodySpec {
  readonly body: z.ZodType | undefined
  readonly bodyType: BodyType
  /** The `content-type` of a body; `undefined` if each body has its own. */
  readonly contentType: string | undefined
}

const contentTypes: Readonly<Record<BodyType, string | undefined>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  // The boundary is a parameter.
  multipart: undefined,
  text: 'text/plain;charset=utf-8',
  bytes: 'application/octet-stream',
}

/** Checks the options of an operation that say how its body is written, and adds their defaults. */
export function checkBody(name: string, options: AnyOperationOptions): BodySpec {
  const { body, bodyType = 'json', contentType, coalesce = false, cache = false } = options
  checkTextOption(name, 'bodyType', bodyType, "'form'")
  if (!Object.hasOwn(contentTypes, bodyType))
    throw new TypeError(
      `${name}: bodyType must be 'json', 'form', 'multipart', 'text' or 'bytes', got '${bodyType as string}'`,
    )
  if (body === undefined) {
    for (const option of ['bodyType', 'contentType'] as const)
      if (options[option] !== undefined)
        throw new TypeError(`${name}: ${option} is set, but the operation has no body: add body, or remove ${option}`)
  }
  if (bodyType === 'multipart' && (coalesce || cache !== false))
    throw new TypeError(
      `${name}: each multipart body has another boundary, so no two calls are equal: ` +
        `remove ${cache === false ? 'coalesce' : 'cache'}`,
    )
  checkWritten(`${name}, body`, bodyType === 'json' ? 'body' : bodyType, body)
  if (contentType !== undefined) checkContentType(name, bodyType, contentType)
  return { body, bodyType, contentType: contentType ?? contentTypes[bodyType] }
}

/** Refuses a `content-type` that would describe the body wrongly. */
function checkContentType(name: string, bodyType: BodyType, contentType: string): void {
  checkTextOption(name, 'contentType', contentType, "'application/vnd.api+json'")
  if (bodyType === 'form' || bodyType === 'multipart')
    throw new TypeError(`${name}: a ${bodyType} body has a content type of its own: remove contentType`)
  const fault = mediaTypeFault(contentType)
  if (fault !== undefined)
    throw new TypeError(
      `${name}: contentType is not a media type, because ${fault}: write type/subtype, ` +
        "for example 'application/vnd.api+json'",
    )
  const { type, charset } = readMediaType(contentType) as MediaType
  if (bodyType === 'json' && !isJsonType(type))
    throw new TypeError(
      `${name}: contentType must be a JSON type such as 'application/vnd.api+json', got '${contentType}': ` +
        "set bodyType to 'text' or 'bytes' for a body that is not JSON",
    )
  if (bodyType !== 'bytes' && charset !== undefined && charset !== 'utf-8')
    throw new TypeError(
      `${name}: contentType has the charset '${charset}', and a text is sent as UTF-8: remove the charset, ` +
        "or set bodyType to 'bytes'",
    )
}
