/** The versions of OpenAPI in which the document can be written. */
export type OpenapiVersion = '3.1' | '3.2'

/** The versions as the field `openapi` of a document has them. */
export const versionNumbers: Readonly<Record<OpenapiVersion, string>> = { '3.1': '3.1.0', '3.2': '3.2.0' }

/**
 * Refuses a value that is not a version.
 *
 * @throws {TypeError} that names the owner and the versions
 */
export function checkVersion(owner: string, value: unknown): asserts value is OpenapiVersion {
  if (typeof value !== 'string' || !Object.hasOwn(versionNumbers, value))
    throw new TypeError(`${owner}: the version of OpenAPI must be 3.1 or 3.2, got ${String(value)}`)
}
