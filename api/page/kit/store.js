// A value that many parts of the page look at. Whoever looks is told when what it looks at has changed.
import { useLayoutEffect, useReducer, useRef } from "./dom.js";

export function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (next === value) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    change(changes) {
      this.set({ ...value, ...changes });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const whole = (value) => value;

export function useStore(store, select = whole) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const shown = useRef();
  shown.current = select(store.get());
  const latest = useRef(select);
  latest.current = select;
  useLayoutEffect(() => {
    const look = () => {
      if (!Object.is(latest.current(store.get()), shown.current)) redraw();
    };
    look(); // it may have changed between being drawn and being listened to
    return store.subscribe(look);
  }, [store]);
  return shown.current;
}
