import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { projectFiles } from '../src/commands/init/project-files.ts'
import { writeProject } from '../src/commands/init/write-project.ts'
import { scriptedUpstream } from '../src/testing/index.ts'
import type { ProblemBody } from './helpers/problem.ts'
import { serveApp } from './helpers/served-app.ts'
import { runCommand } from './helpers/service-process.ts'
import { blocksOf, pages, root, textOf } from './pages/helpers/pages.ts'

test('the aggregate of the getting-started page is served by a new project', async t => {
  const blocks = blocksOf('docs/getting-started.md').filter(({ language }) => language === 'ts')
  const files = projectFiles('shop', '0.1.0')
  t.same(
    blocks.map(({ file }) => file),
    ['upstreams/library.ts', 'upstreams/tea.ts', 'aggregates/tea-time.ts'],
  )
  t.equal(blocks[0]?.code, files.get('upstreams/library.ts'), 'the page shows the file that init writes')
  const project = t.testdir({})
  writeProject(project, new Map([...files, ...blocks.map(({ file, code }) => [file as string, code] as const)]))
  const library = await scriptedUpstream()
  t.teardown(() => library.close())
  library
    .always('/books/1', { title: 'The Water Book', author: 'A. Rivers' })
    .always('/books/1/reviews', [{ stars: 5, text: 'Wet.' }])
    .status('/books/2', 404)
    .always('/books/2/reviews', [])
  const run = (id: string) =>
    runCommand(t, ['run', 'tea-time', '--id', id, '--json', join(project, 'aggregates')], {
      HEADWATERS_UPSTREAM_LIBRARY_ORIGIN: library.origin,
      HEADWATERS_UPSTREAM_TEA_ORIGIN: 'http://127.0.0.1:1',
    })
  t.match(JSON.parse((await run('1')).output), {
    data: { title: 'The Water Book', reviews: ['Wet.'], minutes: 3 },
    complete: false,
    sources: { pot: { state: 'fallback', code: 'UPSTREAM_UNREACHABLE' } },
  })
  t.match(await run('2'), { code: 1, output: /There is no such book\./ })
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
  const written = ['bench/serve/definitions/']
  for (const page of pages) {
    const prose = textOf(page).replaceAll(/^```[^]*?^```$/gm, '')
    const named = Array.from(prose.matchAll(/`((?:[\w-]+\/)+(?:[\w.-]+\.[cm]?[jt]s)?)`/g), ([, path]) => path as string)
    const bases =
      page === 'bench/README.md'
        ? ['', 'bench', 'bench/compare/app', 'bench/compare/serve']
        : ['', 'src', 'examples/starter']
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
