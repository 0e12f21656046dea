/** The attributes and children of an element that is created. */
export interface Parts {
  readonly class?: string
  readonly id?: string
  readonly text?: string
  readonly hidden?: boolean
  /** Other attributes by name. A style attribute is not allowed: the policy of the page refuses it. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** Creates an element. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  parts: Parts = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const created = document.createElement(tag)
  if (parts.class !== undefined) created.className = parts.class
  if (parts.id !== undefined) created.id = parts.id
  if (parts.text !== undefined) created.textContent = parts.text
  if (parts.hidden === true) created.hidden = true
  for (const [name, value] of Object.entries(parts.attributes ?? {})) created.setAttribute(name, value)
  created.append(...children)
  return created
}

/** Creates an element of SVG. */
export function drawing<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Node[]
): SVGElementTagNameMap[K] {
  const created = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value)
  created.append(...children)
  return created
}

/** Writes the text of a node only if it differs from the last one that was written. */
export class TextCell {
  readonly node: Text
  #text = ''

  constructor(parent: Element) {
    this.node = document.createTextNode('')
    parent.append(this.node)
  }

  set(text: string): void {
    if (text === this.#text) return
    this.#text = text
    this.node.data = text
  }
}

/** Writes an attribute only if it differs from the last value that was written. */
export class AttributeCell {
  readonly #element: Element
  readonly #name: string
  #value: string | undefined

  constructor(owner: Element, name: string) {
    this.#element = owner
    this.#name = name
  }

  set(value: string): void {
    if (value === this.#value) return
    this.#value = value
    this.#element.setAttribute(this.#name, value)
  }
}

/**
 * Gives a parent the children in this order. A child that is in its place is not touched, and the focus stays on an
 * element that moves.
 */
export function arrange(parent: Element, children: readonly Element[]): void {
  const focused = document.activeElement
  let place = parent.firstElementChild
  for (const child of children) {
    if (child === place) place = place.nextElementSibling
    else parent.insertBefore(child, place)
  }
  while (place !== null) {
    const next: Element | null = place.nextElementSibling
    place.remove()
    place = next
  }
  if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused))
    focused.focus({ preventScroll: true })
}
