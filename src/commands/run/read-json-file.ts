import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from '../../core/json/parse.ts'
import { UsageError } from '../usage-error.ts'

/**
 * Reads the JSON of a file, or of stdin for `-`.
 *
 * @param where - The argument, for a message.
 * @param folder - The folder that a relative path is resolved against.
 */
export function readJsonFile(where: string, file: string, folder: string): unknown {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : resolve(folder, file), 'utf8')
  } catch (error) {
    throw new UsageError(`${where}: cannot read the file: ${(error as Error).message}`, { cause: error })
  }
  return parseArgument(where, text)
}

/** Parses the JSON of an argument. Throws a `UsageError` that names the argument. */
export function parseArgument(where: string, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    throw new UsageError(`${where} must be JSON: ${(error as Error).message}`, { cause: error })
  }
}
