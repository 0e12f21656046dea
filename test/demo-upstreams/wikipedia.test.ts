import { test } from 'tap'
import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import { startOne } from './helpers/start-one.ts'

test('Wikipedia gives the summary of a page, however its title is written', async t => {
  const { get } = await startOne(t, 'wikipedia')
  const { status, headers, body } = await get('/api/rest_v1/page/summary/Maine_Coon')
  t.equal(status, 200)
  t.equal(
    headers.get('content-type'),
    'application/json; charset=utf-8; profile="https://www.mediawiki.org/wiki/Specs/Summary/1.4.2"',
  )
  t.match(body, {
    type: 'standard',
    title: 'Maine Coon',
    displaytitle: /Maine Coon/,
    pageid: Number,
    lang: 'en',
    dir: 'ltr',
    titles: { canonical: 'Maine_Coon' },
    description: 'Breed of cat',
    extract: /Maine/,
    extract_html: /^<p>.*<\/p>$/,
    content_urls: {
      desktop: { page: 'https://en.wikipedia.org/wiki/Maine_Coon' },
      mobile: { page: 'https://en.m.wikipedia.org/wiki/Maine_Coon' },
    },
    thumbnail: { source: /^https:/, width: 320, height: Number },
    timestamp: /^\d{4}-.*Z$/,
  })
  for (const title of ['Maine%20Coon', 'maine_coon', 'MAINE%5FCOON']) {
    t.same((await get(`/api/rest_v1/page/summary/${title}`)).body, body)
  }
  t.notOk('thumbnail' in (await get<object>('/api/rest_v1/page/summary/Purr')).body)
})

test('Wikipedia does not know every page', async t => {
  const { get } = await startOne(t, 'wikipedia')
  t.match(await get('/api/rest_v1/page/summary/No_such_page'), {
    status: 404,
    body: {
      type: String,
      title: 'Not found.',
      method: 'get',
      detail: 'Page or revision not found.',
      uri: '/en.wikipedia.org/v1/page/summary/No_such_page',
    },
  })
})

test('every breed leads to a page of Wikipedia', async t => {
  const { origins, close } = await startDemoUpstreams({ medianMs: 0 })
  t.teardown(close)
  const all = (await (await fetch(`${origins['the-cat-api']}/v1/breeds`)).json()) as { wikipedia_url: string }[]
  for (const { wikipedia_url: url } of all) {
    const response = await fetch(`${origins.wikipedia}/api/rest_v1/page/summary/${url.split('/wiki/')[1]}`)
    t.equal(response.status, 200, url)
    await response.text()
  }
})
