import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { oldSpaceLimit, type HeapSetting } from '../../src/memory/old-space-limit.ts'

const mebibyte = 2 ** 20

function limitOf(heapSizeMb: number, flags: string, setting: Partial<HeapSetting> = {}): number {
  return (
    oldSpaceLimit({
      heapSizeLimit: heapSizeMb * mebibyte,
      flags: flags.split(' '),
      memoryBytes: 8192 * mebibyte,
      ...setting,
    }) / mebibyte
  )
}

// The figures of `heap_size_limit` are those of Node.js 24 with these flags.
for (const [heapSizeMb, flags, limit] of [
  [288, '--max-old-space-size=96', 96],
  [288, '--max_old_space_size=96', 96],
  [269, '--max-old-space-size="77"', 77],
  [144, '--max-old-space-size=96 --max-semi-space-size=16', 96],
  [320, '--max-old-space-size=96 --enable-source-maps --max-old-space-size=128', 128],
  [1011, '--max-old-space-size-percentage=10 --max-old-space-size=96', 819],
  [4288, '', 4096],
  [4288, '--max-old-space-size=0', 4096],
  [4144, '--max-semi-space-size=10', 4096],
  [4099, '--max-semi-space-size=1', 4096],
  [4099, '--optimize-for-size', 4096],
  [4099, '--lite-mode', 4096],
  [268, '--max-heap-size=268', 256],
] as const) {
  test(`with a heap of ${heapSizeMb} MiB and the flags '${flags}' the old generation may have ${limit} MiB`, async t => {
    t.equal(Math.round(limitOf(heapSizeMb, flags)), limit)
  })
}

test('a flag that V8 does not follow gives no more than the heap has', async t => {
  t.equal(limitOf(100, '--max-old-space-size=4096'), 100)
})

test('a worker thread has the limit it was started with, and a flag stands over it', async t => {
  t.equal(limitOf(242, '', { threadLimitMb: 50 }), 50)
  t.equal(limitOf(288, '--max-old-space-size=96', { threadLimitMb: 50 }), 96)
})

/** The limit of a process with these flags, in MiB, as it reads it itself. */
function limitIn(node: readonly string[], options = ''): number {
  const module = JSON.stringify(join(import.meta.dirname, '../../src/memory/own-memory.ts'))
  const text = execFileSync(
    process.execPath,
    [
      ...node,
      '--input-type=module',
      '-e',
      `import { ownMemory } from ${module}\nconsole.log(ownMemory().heapLimit / 2 ** 20)`,
    ],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: options } },
  )
  return Number(text)
}

test('a process reads its flags, and those of NODE_OPTIONS', async t => {
  t.equal(limitIn(['--max-old-space-size=256']), 256)
  t.equal(limitIn([], '--max-old-space-size=256'), 256)
  t.equal(limitIn([], '"--max-old-space-size=256" --no-deprecation'), 256)
  t.equal(limitIn(['--max-old-space-size=512'], '--max-old-space-size=256'), 512)
})
