import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { test } from 'tap'
import { specOf, caseOf } from '../../../bench/compare/cases.ts'
import { checkTarget } from '../../../bench/compare/serve/check-target.ts'
import { inputs } from '../../../bench/compare/serve/inputs.ts'
import { own as root, versionOf } from '../../../bench/compare/serve/checkout.ts'
import { until } from '../../helpers/until.ts'
import { openStage, sayLast } from './helpers/stage.ts'

test('the service has a log line for each request at the level info, and none at the level warn', async t => {
  const { upstream, start, linesOf } = await openStage(t)
  for (const [name, lines] of [
    ['serve', 0],
    ['serve-info', inputs.length],
  ] as const) {
    const target = await start(name)
    await checkTarget(target, upstream, 5, 110)
    t.equal(await sayLast(target, upstream), 400)
    // The first line names the path, so that of the last request is left out.
    const count = (words: string) => linesOf(name).filter(({ msg }) => msg === words).length
    // The line of a request follows its reply, which may be read before.
    await until(() => count('request completed') >= lines)
    t.equal(count('request completed'), lines, name)
    t.equal(count('incoming request'), 0)
  }
})

test('pipelining changes no call and no reply', async t => {
  const { upstream, start } = await openStage(t)
  await t.resolves(checkTarget(await start('serve-pipelining'), upstream, 20, 110))
})

test('another checkout runs its own source, with the definitions of this one where it has none', async t => {
  const { upstream, start } = await openStage(t)
  const checkout = t.testdir()
  for (const name of ['src', 'node_modules', 'package.json']) symlinkSync(join(root, name), join(checkout, name))
  await t.resolves(checkTarget(await start('other', specOf(caseOf('serve', checkout), 'other')), upstream, 5, 110))
})

test('another checkout loads its own definitions, in either folder that has had them', async t => {
  const { start } = await openStage(t)
  const own = { definitions: { 'plain.ts': "throw new Error('the definitions of the other checkout')" } }
  for (const [name, bench] of Object.entries({ now: { compare: { serve: own } }, earlier: { serve: own } })) {
    const checkout = join(t.testdir({ now: {}, earlier: {}, [name]: { bench } }), name)
    for (const link of ['src', 'node_modules', 'package.json']) symlinkSync(join(root, link), join(checkout, link))
    await t.rejects(start('other', specOf(caseOf('serve', checkout), 'other')), /the definitions of the other checkout/)
  }
})

test('a checkout is named by its commit, and another folder by its name', async t => {
  const folder = t.testdir()
  t.equal(versionOf(folder), basename(folder))
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      encoding: 'utf8',
    }).trim()
  git('init', '--quiet')
  writeFileSync(join(folder, 'file'), '1')
  git('add', 'file')
  git('commit', '--quiet', '--message', 'first')
  const commit = git('rev-parse', '--short', 'HEAD')
  t.equal(versionOf(folder), commit)
  writeFileSync(join(folder, 'file'), '2')
  t.equal(versionOf(folder), `${commit}+`)
})

test('a target that answers without asking, asks for something else or forwards nothing is refused', async t => {
  const { upstream } = await openStage(t)
  const body = JSON.stringify({ facts: [{ fact: 'x'.repeat(110), length: 110 }] })
  const wrong: readonly (readonly [call: (url: URL) => string, message: RegExp])[] = [
    [() => '', /cheap called\n\ninstead of/],
    [
      ({ pathname, searchParams }) => `/topics/${pathname.split('/')[3]}/fact?index=0&lang=${searchParams.get('lang')}`,
      /cheap called\n.+\ninstead of/,
    ],
    [
      ({ pathname, search }) => `/topics/${pathname.split('/')[3]}/fact?index=0${search.replace('?n=1', '')}`,
      /cheap did not forward the headers/,
    ],
  ]
  for (const [call, message] of wrong) {
    const server = createServer((request, response) => {
      const path = call(new URL(request.url ?? '', 'http://localhost'))
      void (
        path === '' ? Promise.resolve() : fetch(`http://127.0.0.1:${upstream.port}${path}`).then(each => each.text())
      ).then(() => response.end(body))
    })
    t.teardown(() => server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    await t.rejects(checkTarget({ name: 'cheap', port }, upstream, 1, 110), message)
  }
})
