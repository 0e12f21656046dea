import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { elapsed, until } from './until.ts'

/** A definitions file with an aggregate for bulk runs, whose items take a few ms. */
export const slowDouble = `
import { promisify } from 'node:util'
import { aggregate } from 'headwaters'
import { z } from 'zod'

const pause = promisify(setTimeout)

export const double: unknown = aggregate('double', { url: '/v1/double', body: z.object({ n: z.number() }), bulk: true })
  .required('doubled', async ({ body }) => {
    await pause(2)
    return 2 * body.n
  })
  .reply(z.number(), ({ doubled }) => doubled)
`

/** Returns the lines of the inputs 0 to `count` - 1. */
export function inputLines(count: number): string {
  return Array.from({ length: count }, (_, n) => `${JSON.stringify({ body: { n } })}\n`).join('')
}

/** Resolves when the results of at least `count` chunks are in the folder of a store. */
export async function untilChunks(dir: string, count: number): Promise<void> {
  await until(async () => {
    await elapsed(5)
    const names = await readdir(join(dir, 'objects', 'runs'), { recursive: true }).catch(() => [])
    return names.filter(name => /results.\d+$/.test(name)).length >= count
  })
}

/** Returns the indexes and the values of results, in their order. */
export function readLines(text: string): (readonly [number, unknown])[] {
  const lines = text.split('\n').filter(line => line !== '')
  return lines.map(line => {
    const { index, value } = JSON.parse(line) as { readonly index: number; readonly value: unknown }
    return [index, value] as const
  })
}

/** The results of `inputLines`. */
export function doubles(count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, n) => [n, 2 * n] as const)
}
