import { cpSync, existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'
import type { AnyAggregate } from '../src/fanout/aggregate.ts'
import type { ProblemBody } from './helpers/problem.ts'
import { serveApp } from './helpers/served-app.ts'
import { until } from './helpers/until.ts'
import { blocksOf, pages, root, textOf, type Block } from './pages/helpers/pages.ts'

/** A checkout in which every source is the real one, beside what a page says to write. */
function checkoutWith(dir: string, blocks: readonly Block[]): string {
  const own = ['clients', 'routes']
  cpSync(join(root, 'tsconfig.json'), join(dir, 'tsconfig.json'))
  cpSync(join(root, 'package.json'), join(dir, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  for (const name of readdirSync(join(root, 'src')))
    if (!own.includes(name)) symlinkSync(join(root, 'src', name), join(dir, 'src', name))
  for (const room of own) {
    for (const name of readdirSync(join(root, 'src', room)))
      symlinkSync(join(root, 'src', room, name), join(dir, 'src', room, name))
  }
  for (const { file, code } of blocks) if (file !== undefined) writeFileSync(join(dir, file), code)
  return dir
}

test('the aggregate of the getting-started page is served', async t => {
  const blocks = blocksOf('docs/getting-started.md').filter(({ language }) => language === 'ts')
  t.equal(blocks.length, 2)
  const dir = checkoutWith(t.testdir({ src: { clients: {}, routes: {} } }), blocks)
  const { teaParty } = (await import(pathToFileURL(join(dir, 'src/routes/tea-party.ts')).href)) as {
    teaParty: AnyAggregate
  }

  const { get } = await serveApp(t, { aggregates: [teaParty], overrides: { tea: { origin: 'http://127.0.0.1:1' } } })
  // The first requests also open connections. On a busy machine that takes longer than the deadline of the page.
  let first = await get('/v1/tea-parties/siamese?facts=1')
  await until(async () => first.status !== 504 || (first = await get('/v1/tea-parties/siamese?facts=1')).status !== 504)
  t.match(first, {
    status: 200,
    body: {
      data: { guest: 'Siamese', talk: [/\w/], minutes: 3 },
      complete: false,
      sources: { pot: { state: 'fallback', code: 'UPSTREAM_UNREACHABLE' } },
    },
  })
  t.match(await get('/v1/tea-parties/zzz'), {
    status: 404,
    body: { code: 'REFUSED', detail: 'There is no such breed.' },
  })
})

test('the fault that the HTTP contract shows is what a caller gets', async t => {
  const shown = blocksOf('docs/http.md')
    .filter(({ language }) => language === 'json')
    .map(({ code }) => JSON.parse(code) as ProblemBody)
    .find(({ status }) => status === 400)
  const { get } = await serveApp(t)
  const { body } = await get<ProblemBody>('/v1/cat-facts?count=51', { headers: { 'x-request-timeout-ms': 'soon' } })
  const byPointer = ({ errors = [], ...rest }: ProblemBody) => ({
    ...rest,
    errors: errors.toSorted((a, b) => (a.pointer < b.pointer ? 1 : -1)),
    instance: '',
  })
  t.same(byPointer(body), byPointer(shown as ProblemBody))
})

test('the replies that the pages show have the states and fields that there are', async t => {
  const { get } = await serveApp(t)
  const { body } = await get<{ sources: Record<string, object> }>('/v1/cat-facts')
  for (const page of ['README.md', 'docs/http.md']) {
    const reply = blocksOf(page)
      .filter(({ language }) => language === 'json')
      .map(({ code }) => JSON.parse(code) as typeof body & { data?: object })[0]
    t.same(Object.keys(reply ?? {}), ['data', 'complete', 'sources'], page)
    t.same(Object.keys(reply?.sources ?? {}), Object.keys(body.sources))
    t.same(Object.keys(reply?.sources['ninja'] ?? {}), Object.keys(body.sources['ninja'] ?? {}))
  }
})

test('every file and folder that a page names is there', async t => {
  const written = ['src/clients/tea.ts', 'src/routes/tea-party.ts', 'bench/serve/definitions/']
  for (const page of pages) {
    const prose = textOf(page).replaceAll(/^```[^]*?^```$/gm, '')
    const named = Array.from(prose.matchAll(/`((?:[\w-]+\/)+(?:[\w.-]+\.[cm]?[jt]s)?)`/g), ([, path]) => path as string)
    const bases = page === 'bench/README.md' ? ['', 'bench', 'bench/compare/app', 'bench/compare/serve'] : ['', 'src']
    t.same(
      named.filter(path => !written.includes(path) && !bases.some(base => existsSync(join(root, base, path)))),
      [],
      page,
    )
  }
})

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return Array.from(textOf(page).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

test('every page and every heading that is linked to is there', async t => {
  for (const page of [...pages, 'CHANGELOG.md', 'CODE_OF_CONDUCT.md', 'SECURITY.md']) {
    for (const [, target = '', anchor = ''] of textOf(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const linked = target === '' ? page : join(page, '..', target)
      t.ok(existsSync(join(root, linked)), `${page} → ${target}`)
      if (anchor !== '') t.ok(anchorsOf(linked).includes(anchor), `${page} → ${target}#${anchor}`)
    }
  }
})
