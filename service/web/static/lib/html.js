/** Preact and htm, from one file: every module takes them from here. */

export {
  html,
  h,
  render,
  Component,
  useState,
  useEffect,
  useLayoutEffect,
  useRef,
  useMemo,
  useCallback,
  useReducer,
  useContext,
  createContext,
  useErrorBoundary,
} from "../vendor/htm-preact.js";
