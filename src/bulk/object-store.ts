/** A part of an object, in bytes. */
export interface ByteRange {
  /** The first byte of the range, from 0. */
  readonly start: number
  /** The first byte after the range. An object can end before it. */
  readonly end: number
}

/**
 * A store of immutable objects. The runs and their results are such objects, and every state is derived from them. A
 * folder of the disk is such a store, and an object store can be one: `create` is a PUT with `if-none-match: *`, `read`
 * a GET with a range, and `list` a listing with the delimiter `/`.
 *
 * A name has segments of lower-case letters, digits and hyphens, with `/` between them.
 */
export interface BulkStore {
  /**
   * Creates an object, whole or not at all.
   *
   * @param name The name of the object.
   * @param body The bytes of the object.
   * @returns False if an object has this name. That object is not changed.
   * @throws `Error` if the store cannot be used
   */
  create(name: string, body: Uint8Array): Promise<boolean>
  /**
   * Returns an object or a part of it.
   *
   * @param name The name of the object.
   * @param range The part of the object. @default the whole object
   * @returns The bytes; undefined if no object has this name.
   * @throws `Error` if the store cannot be used
   */
  read(name: string, range?: ByteRange): Promise<Buffer | undefined>
  /**
   * Finds out if an object exists.
   *
   * @param name The name of the object.
   * @returns True if an object has this name.
   * @throws `Error` if the store cannot be used
   */
  has(name: string): Promise<boolean>
  /**
   * Lists a folder.
   *
   * @param folder The name of the folder.
   * @returns The names of objects and of folders directly below it, without its own name, in ascending order.
   * @throws `Error` if the store cannot be used
   */
  list(folder: string): Promise<readonly string[]>
  /**
   * Removes all objects below a folder.
   *
   * @param folder The name of the folder.
   * @throws `Error` if the store cannot be used
   */
  remove(folder: string): Promise<void>
}

const objectName = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)*$/
const longestName = 255

/** Returns true for the name of an object or of a folder. */
export function isObjectName(name: string): boolean {
  return name.length <= longestName && objectName.test(name)
}

/**
 * Checks the name of an object or of a folder.
 *
 * @throws TypeError for any other text, such as one with `..`
 */
export function checkObjectName(name: string): void {
  if (!isObjectName(name))
    throw new TypeError(`'${name.slice(0, longestName)}' is not the name of an object: use a-z, 0-9, '-' and '/'`)
}
