/**
 * Refuses a required option that is missing or is not a string. The message never shows the value, which may be a
 * secret.
 *
 * @param owner - What the option belongs to, for example `upstream 'cats'`.
 * @param option - The name of the option.
 * @param example - A valid value, as it is written in code.
 * @throws {TypeError} that names the owner, the option and an example.
 */
export function checkTextOption(owner: string, option: string, value: unknown, example: string): void {
  if (typeof value === 'string') return
  throw new TypeError(`${owner}: ${option} ${faultOf(value, `a string such as ${example}`)}`)
}

/**
 * Refuses a value that is not a list of strings.
 *
 * @throws {TypeError} that names the owner, the option and an example.
 */
export function checkTextList(owner: string, option: string, list: unknown, example: string): void {
  if (Array.isArray(list) && list.every(each => typeof each === 'string')) return
  const wanted = `a list of strings such as ${example}`
  throw new TypeError(`${owner}: ${option} ${Array.isArray(list) ? `must be ${wanted}` : faultOf(list, wanted)}`)
}

/**
 * Refuses a value that is not an object, and an object whose entries are not its own properties, such as a `Map` or
 * `Headers`.
 *
 * @throws {TypeError} that names the owner, the option and an example.
 */
export function checkObject(owner: string, option: string, value: unknown, example: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${owner}: ${option} ${faultOf(value, `an object such as ${example}`)}`)
  if (!isPlain(value))
    throw new TypeError(
      `${owner}: ${option} must be a plain object such as ${example}: ` +
        'write Object.fromEntries(…) for the entries of a Map or of Headers',
    )
}

/** Returns whether an object was created by a literal, also in another realm, or has no prototype. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || (Object.hasOwn(prototype, 'constructor') && prototype.constructor.name === 'Object')
}

/**
 * Refuses a value that is not a boolean, such as the string `'false'`, which is truthy.
 *
 * @throws {TypeError} that names the owner and the option.
 */
export function checkBoolean(owner: string, option: string, value: unknown): void {
  if (typeof value === 'boolean') return
  throw new TypeError(`${owner}: ${option} ${faultOf(value, 'true or false')}`)
}

/**
 * Refuses a value that is not a function.
 *
 * @throws {TypeError} that names the owner, the option and an example.
 */
export function checkFunction(owner: string, option: string, value: unknown, example: string): void {
  if (typeof value === 'function') return
  throw new TypeError(`${owner}: ${option} ${faultOf(value, `a function such as ${example}`)}`)
}

/**
 * Refuses an `onEvent` that is neither a function nor undefined.
 *
 * @throws {TypeError} that names the owner and an example.
 */
export function checkListener(owner: string, onEvent: unknown): void {
  if (onEvent !== undefined)
    checkFunction(owner, 'onEvent', onEvent, 'event => console.log(event.type, event.run.aggregate)')
}

function faultOf(value: unknown, wanted: string): string {
  return value === undefined ? `is missing: it must be ${wanted}` : `must be ${wanted}, got ${kindOf(value)}`
}

/** Returns the kind of a value for a message, which must not show the value itself. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
