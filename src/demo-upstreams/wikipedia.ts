import { articles } from './data/articles.ts'
import type { Article } from './data/articles.ts'
import { hash } from './random.ts'
import type { DemoAnswer, DemoRoute, DemoRequest } from './route.ts'

const SUMMARY = 'application/json; charset=utf-8; profile="https://www.mediawiki.org/wiki/Specs/Summary/1.4.2"'
const PROBLEM = 'application/problem+json'
// A fixed time, so that equal requests get equal answers.
const TIMESTAMP = '2026-01-15T09:30:00Z'

/** Returns the routes of the Wikipedia REST API: the summary of a page. */
export function wikipedia(seed: number): DemoRoute[] {
  const summaries = new Map(
    articles.map((article, index) => [keyOf(article.title), summaryOf(article, hash(seed, index))]),
  )

  function summary({ params, path }: DemoRequest): DemoAnswer {
    const body = summaries.get(keyOf(params.title ?? ''))
    if (body !== undefined) return { headers: { 'content-type': SUMMARY }, body }
    return {
      status: 404,
      headers: { 'content-type': PROBLEM },
      body: {
        type: 'https://mediawiki.org/wiki/HyperSwitch/errors/not_found',
        title: 'Not found.',
        method: 'get',
        detail: 'Page or revision not found.',
        uri: `/en.wikipedia.org/v1/${path.replace('/api/rest_v1/', '')}`,
      },
    }
  }

  return [{ path: '/api/rest_v1/page/summary/:title', answer: summary }]
}

function keyOf(title: string): string {
  return title.replaceAll('_', ' ').trim().toLowerCase()
}

function summaryOf({ title, description, extract, pictured }: Article, seed: number) {
  const canonical = title.replaceAll(' ', '_')
  const display = `<span class="mw-page-title-main">${title}</span>`
  return {
    type: 'standard',
    title,
    displaytitle: display,
    namespace: { id: 0, text: '' },
    titles: { canonical, normalized: title, display },
    pageid: 1000 + (hash(seed, 1) % 70_000_000),
    ...(pictured && {
      thumbnail: {
        source: `https://upload.wikimedia.org/demo/320px-${encodeURIComponent(canonical)}.jpg`,
        width: 320,
        height: 200 + (hash(seed, 2) % 200),
      },
    }),
    lang: 'en',
    dir: 'ltr',
    revision: String(1_200_000_000 + (hash(seed, 3) % 100_000_000)),
    timestamp: TIMESTAMP,
    description,
    description_source: 'local',
    content_urls: {
      desktop: linksOf('https://en.wikipedia.org', canonical),
      mobile: linksOf('https://en.m.wikipedia.org', canonical),
    },
    extract,
    extract_html: `<p>${extract}</p>`,
  }
}

function linksOf(origin: string, canonical: string) {
  const page = `${origin}/wiki/${encodeURIComponent(canonical)}`
  return {
    page,
    revisions: `${page}?action=history`,
    edit: `${page}?action=edit`,
    talk: `${origin}/wiki/Talk:${encodeURIComponent(canonical)}`,
  }
}
