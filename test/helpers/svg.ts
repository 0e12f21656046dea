/**
 * Returns the elements of an SVG document in order. Throws where one is not closed, or where text has a character that is
 * not allowed.
 */
export function elementsOf(xml: string) {
  const open: string[] = []
  const elements: { name: string; attributes: Record<string, string>; text: string }[] = []
  let end = 0
  for (const { index, 0: tag, 1: closing = '', 2: name = '', 3: rest = '', 4: own = '' } of xml.matchAll(
    /<(\/?)([\w:]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g,
  )) {
    const text = xml.slice(end, index)
    if (/[<]|&(?!amp;|lt;|gt;)/.test(text)) throw new Error(`not well-formed: ${text}`)
    if (closing === '') {
      elements.push({
        name,
        attributes: Object.fromEntries(
          Array.from(rest.matchAll(/([\w:-]+)="([^"]*)"/g), ([, key = '', value = '']) => [key, value]),
        ),
        text: '',
      })
      if (own === '') open.push(name)
    } else {
      if (open.pop() !== name) throw new Error(`${tag} closes something else`)
      const opened = elements.findLast(element => element.name === name)
      if (opened) opened.text = text
    }
    end = index + tag.length
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`)
  return elements
}
