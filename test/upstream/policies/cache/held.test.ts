import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { shapes } from './held/shapes.ts'

interface Measured {
  readonly shape: string
  readonly entries: number
  readonly counted: number
  readonly held: number
}

/** Large enough that what else a process does in between is small beside it. */
const cacheBytes = 192 * 1024
/** Without these V8 makes and drops optimized code and bytecode between two measurements, about 200 KB of it. */
const flags = ['--no-opt', '--no-maglev', '--no-flush-bytecode', '--single-threaded-gc', '--expose-gc']

test('the counted bytes of a cache are within 1.5 times its memory in both directions, for every shape of answer', async t => {
  t.setTimeout(120_000)
  const program = fileURLToPath(new URL('held/program.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, program, String(cacheBytes), ...Object.keys(shapes)],
    { env: { ...process.env, NODE_OPTIONS: '' } },
  )
  const measured = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Measured)
  t.same(
    measured.map(({ shape }) => shape),
    Object.keys(shapes),
  )
  for (const { shape, entries, counted, held } of measured) {
    t.ok(
      counted > 0.9 * cacheBytes && counted <= cacheBytes,
      `${shape}: the cache is full, with ${counted} bytes in ${entries} entries`,
    )
    t.ok(held < 1.5 * counted && held > counted / 1.5, `${shape}: ${counted} bytes are counted and ${held} held`)
  }
})
