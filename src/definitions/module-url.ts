import { fileURLToPath } from 'node:url'

/** The query of a module that a reload evaluated. Node.js keeps a module for each URL, so a new number is a new module. */
const mark = /[?&]headwaters=(\d+)$/

/** Returns the path of a module's URL, without its query. Returns `undefined` if it is not a file. */
export function fileOf(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url.replace(mark, '')) : undefined
}

/** Returns the generation of a module's URL. The modules of the first load have the generation 0, and no query. */
export function generationOf(url: string): number {
  return Number(mark.exec(url)?.[1] ?? 0)
}

/** Returns the URL of the module that a file has in a generation. */
export function urlIn(url: string, generation: number): string {
  const plain = url.replace(mark, '')
  return generation === 0 ? plain : `${plain}?headwaters=${generation}`
}

/** Removes the generations from a text that names modules, such as the message of an error. */
export function withoutGenerations(text: string): string {
  return text.replaceAll(/\?headwaters=\d+/g, '')
}
