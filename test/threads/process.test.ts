import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'

const src = (file: string) => new URL(`../../src/${file}`, import.meta.url).href
const helper = new URL('../helpers/offloaded.ts', import.meta.url).href

/** Runs a program in a process of its own, with nothing of tap in it; it must end by itself. */
async function run(t: Test, lines: readonly string[], preload = ''): Promise<string[]> {
  const folder = t.testdir({ 'program.ts': lines.join('\n'), 'preload.mjs': preload })
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', join(folder, 'preload.mjs'), join(folder, 'program.ts')],
    { env: childEnvironment },
  )
  return stdout.trim().split('\n')
}

const prelude = [
  `import { createRequire } from 'node:module'`,
  `import { z } from '${import.meta.resolve('zod')}'`,
  `import { aggregate, createRuntime, fanOut, offload } from '${src('index.ts')}'`,
  `const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some(file => file.includes('piscina'))`,
  `const runtime = createRuntime()`,
]

test('threads are loaded by the first offloaded call: not without offload(), and not by its declaration', async t => {
  t.same(
    await run(t, [
      ...prelude,
      `import { buildApp } from '${src('app.ts')}'`,
      `const plain = aggregate('plain', { url: '/plain' }).required('a', () => 1).reply(z.number(), ({ a }) => a)`,
      `const threaded = aggregate('threaded', { url: '/threaded' })` +
        `.required('a', offload(new URL('${helper}'), 'exiting')).reply(z.number(), ({ a }) => a)`,
      `const app = buildApp([plain, threaded], { runtime })`,
      `console.log((await app.inject('/plain')).statusCode, isLoaded())`,
      `console.log((await app.inject('/threaded')).statusCode, isLoaded())`,
      `await app.close()`,
    ]),
    ['200 false', '500 true'],
  )
})

test('a process that closes nothing ends though it has threads, which hold it only while they work', async t => {
  t.same(
    await run(t, [
      ...prelude,
      `const later = offload(new URL('${helper}'), 'later')`,
      `const sum = aggregate('sum', { url: '/sum' }).reply(z.string(), () => later('on'))`,
      `console.log((await fanOut(sum, {}, { runtime })).data)`,
    ]),
    ['on'],
  )
})

test('threads that cannot start fail what waits for them', async t => {
  t.same(
    await run(
      t,
      [
        `import { createThreads } from '${src('threads/threads.ts')}'`,
        `const threads = createThreads({ count: 2 })`,
        `const tasks = [1, 2, 3].map(a => threads.run(` +
          `{ href: '${helper}', name: 'add', loader: undefined, given: [a], owner: 'task ' + a }).value)`,
        `for (const { reason } of await Promise.allSettled(tasks)) console.log(reason.message)`,
        `await threads.close()`,
      ],
      'import { isMainThread } from "node:worker_threads"; if (!isMainThread) throw new Error("not in a thread")',
    ),
    [1, 2, 3].map(a => `task ${a}: the thread of 'add' ended before the function returned: not in a thread`),
  )
})
