#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <memory>
#include <thread>

#include "app/command.h"
#include "app/number_option.h"
#include "base/bytes.h"
#include "base/pattern.h"
#include "base/printable.h"
#include "config/config.h"
#include "event_log/event_log.h"
#include "event_log/published_end.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

struct EventOptions {
  std::string source, type, team, key, since, until, id;
  std::uint64_t limit = 0;
  bool reverse = false;
};

volatile std::sig_atomic_t interrupted = 0;

// Headers are bytes of others, and JSON is UTF-8.
json::value text(const std::string& bytes) { return is_valid_utf8(bytes) ? json::value(bytes) : json::value("base64:" + to_base64(bytes)); }
json::value text_or_null(const std::string& bytes) { return bytes.empty() ? json::value(nullptr) : text(bytes); }

// The members of DESIGN.md 6.2, in its order; jsonl_export writes the same.
std::string to_json(const event_log::Event& event) {
  json::array headers;
  for (const auto& header : event.headers) headers.push_back(json::array{text(header.name), text(header.value)});
  json::object out{{"offset", event.offset.value},
                   {"id", event.id.value},
                   {"source", event.source},
                   {"provider", event.provider},
                   {"type", text(event.type)},
                   {"team", text_or_null(event.team)},
                   {"key", text_or_null(event.key)},
                   {"received_at", to_rfc3339(event.received_at)},
                   {"headers", std::move(headers)},
                   {"content_type", text(event.content_type)},
                   {"verified", event.verified}};
  if (is_valid_utf8(event.body)) {
    out["body"] = event.body;
  } else {
    out["body_base64"] = to_base64(event.body);
  }
  return json::serialize(out);
}

void print(const Context& context, const event_log::Event& event) {
  if (context.json) {
    context.out << to_json(event) << '\n';
  } else {
    context.out << event.offset.value << "  " << to_rfc3339(event.received_at).substr(0, 23) << "Z  " << event.id.value << "  " << event.source << "  "
                << printable(event.type) << "  " << (event.key.empty() ? "-" : printable(event.key)) << '\n';
  }
}

// The event log beside a running host, or without one.
struct Opened {
  std::shared_ptr<const event_log::SegmentView> view;
  event_log::Reader reader;
  std::string directory;
};

Result<Opened> open(const Context& context) {
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  HOOKHOST_TRY(const auto config, config::load(path, {.all = false, .source = {}}));
  const std::string directory = os::join(config.data_dir, "events");
  auto view = event_log::open_view(os::local_file_system(), directory);
  if (!view && view.error().code == ErrorCode::not_found) return fail(ErrorCode::not_found, "there is no event log in " + config.data_dir + " yet; `hookhost serve` makes it");
  if (!view) return fail(view.error());
  return Opened{view.value(), event_log::Reader(os::local_file_system(), view.value()), directory};
}

Result<Offset> resolve(Opened& log, const std::string& text, Offset absent) {
  if (text.empty()) return absent;
  HOOKHOST_TRY(const auto when, config::parse_when(text));
  using Kind = config::When::Kind;
  switch (when.kind) {
    case Kind::beginning: return Offset{0};
    case Kind::now: return log.view->durable_end();
    case Kind::offset: return when.offset;
    case Kind::age: return log.reader.find_time(system_clock().wall() - when.age);
    default: return log.reader.find_time(when.time);
  }
}

Result<event_log::Wants> filter(const EventOptions& options) {
  std::optional<Pattern> pattern;
  if (!options.type.empty()) {
    HOOKHOST_TRY(pattern, parse_pattern(options.type, true));
  }
  return event_log::Wants([options, pattern](const event_log::EventHead& head) {
    return (options.source.empty() || head.source == options.source) && (options.team.empty() || head.team == options.team) &&
           (options.key.empty() || head.key == options.key) && (options.id.empty() || head.id == options.id) &&
           (!pattern || pattern->matches(head.source, head.provider, head.type));
  });
}

// Below it everything was removed in good order.
Result<Offset> first_kept(const event_log::SegmentView& view) {
  HOOKHOST_TRY(const auto segments, view.segments());
  return segments.empty() ? Offset{} : segments.front()->first_offset();
}

// Shows matching events of [from, until) to `visit` until it answers false.
Result<> each(Opened& log, Offset from, Offset until, const event_log::Wants& wants, const Context& context,
              const std::function<bool(const event_log::EventPtr&)>& visit) {
  HOOKHOST_TRY(const Offset begin, first_kept(*log.view));
  while (from < until && interrupted == 0 && context.out) {
    HOOKHOST_TRY(const auto got, log.reader.read(from, until, {}, wants));
    for (const auto& [a, b] : got.gaps) {
      if (a >= begin) {
        context.err << "offsets " << a.value << " to " << b.value - 1 << " cannot be read; `hookhost events verify` tells more\n";
      }
    }
    for (const auto& event : got.events) {
      if (!visit(event)) return success();
    }
    if (got.next == from) break;
    from = got.next;
  }
  return success();
}

CommandResult list(const Context& context, const EventOptions& options) {
  HOOKHOST_TRY(auto log, open(context));
  HOOKHOST_TRY(const Offset from, resolve(log, options.since, Offset{0}));
  HOOKHOST_TRY(const Offset until, resolve(log, options.until, log.view->durable_end()));
  HOOKHOST_TRY(const auto wants, filter(options));
  if (!options.reverse) {
    std::uint64_t shown = 0;
    HOOKHOST_CHECK(each(log, from, std::min(until, log.view->durable_end()), wants, context, [&](const event_log::EventPtr& event) {
      print(context, *event);
      return ++shown != options.limit;
    }));
    return 0;
  }
  // Newest first: pages from the end, each read forwards.
  constexpr std::uint64_t kPage = 1000;
  std::uint64_t shown = 0;
  for (Offset end = std::min(until, log.view->durable_end()); end > from && interrupted == 0 && context.out;) {
    const Offset begin{std::max(from.value, end.value > kPage ? end.value - kPage : 0)};
    std::vector<event_log::EventPtr> page;
    HOOKHOST_CHECK(each(log, begin, end, wants, context, [&](const event_log::EventPtr& event) {
      page.push_back(event);
      return true;
    }));
    for (auto event = page.rbegin(); event != page.rend(); ++event) {
      print(context, **event);
      if (++shown == options.limit) return 0;
    }
    end = begin;
  }
  return 0;
}

CommandResult show(const Context& context, const std::string& name) {
  if (name.empty()) return fail(ErrorCode::usage, "events show wants the event's id or offset");
  HOOKHOST_TRY(auto log, open(context));
  EventOptions options;
  Offset from{0}, until = log.view->durable_end();
  if (const auto offset = parse_u64(name)) {
    from = Offset{*offset};
    until = std::min(until, from.next());
  } else {
    options.id = name;
  }
  HOOKHOST_TRY(const auto wants, filter(options));
  event_log::EventPtr found;
  HOOKHOST_CHECK(each(log, from, until, wants, context, [&](const event_log::EventPtr& event) {
    found = event;
    return false;
  }));
  if (!found) return fail(ErrorCode::not_found, "there is no event " + name + "; `hookhost events list` shows those there are");
  if (context.json) {
    context.out << to_json(*found) << '\n';
    return 0;
  }
  print(context, *found);
  for (const auto& header : found->headers) context.out << printable(header.name) << ": " << printable(header.value) << '\n';
  context.out << '\n' << printable(found->body, Lines::kept) << '\n';
  return 0;
}

CommandResult tail(const Context& context, const EventOptions& options) {
  HOOKHOST_TRY(auto log, open(context));
  HOOKHOST_TRY(Offset from, resolve(log, options.since, log.view->durable_end()));
  HOOKHOST_TRY(const auto wants, filter(options));
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::uint64_t shown = 0;
  bool enough = false;
  while (interrupted == 0 && !enough && context.out) {
    const Offset until = log.view->durable_end();
    HOOKHOST_CHECK(each(log, from, until, wants, context, [&](const event_log::EventPtr& event) {
      print(context, *event);
      enough = ++shown == options.limit;
      return !enough;
    }));
    from = std::max(from, until);
    context.out.flush();
    if (!enough) std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return 0;
}

CommandResult verify(const Context& context) {
  HOOKHOST_TRY(auto log, open(context));
  HOOKHOST_TRY(const auto segments, log.view->segments());
  const Offset begin = segments.empty() ? Offset{} : segments.front()->first_offset();
  const Offset end = log.view->durable_end();
  std::uint64_t events = 0, damaged = 0;
  for (Offset from = begin; from < end;) {
    HOOKHOST_TRY(const auto got, log.reader.read(from, end, {}));
    events += got.events.size();
    for (const auto& [a, b] : got.gaps) {
      damaged += b.distance_from(a);
      context.err << "offsets " << a.value << " to " << b.value - 1 << " cannot be read\n";
    }
    if (got.next == from) break;
    from = got.next;
  }
  if (context.json) {
    context.out << json::serialize(json::object{{"begin", begin.value}, {"end", end.value}, {"segments", segments.size()}, {"events", events}, {"damaged", damaged}}) << '\n';
  } else {
    context.out << events << " events in " << segments.size() << " segments, offsets " << begin.value << " to " << end.value << "; "
                << (damaged == 0 ? "every checksum is right" : std::to_string(damaged) + " cannot be read") << '\n';
  }
  return damaged == 0 ? 0 : 1;
}

}  // namespace

void add_events(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* events = root.add_subcommand("events", "What was received; reads beside a running host");
  events->require_subcommand(1);
  auto options = std::make_shared<EventOptions>();
  const auto filters = [&](CLI::App* command) {
    command->add_option("--source", options->source, "Of this source");
    command->add_option("--type", options->type, "Of types that match this pattern");
    command->add_option("--team", options->team, "Of this team");
    command->add_option("--key", options->key, "Of this key");
    command->add_option("--since", options->since, "From here: an offset, an age or a time");
    add_number(command, "--limit", options->limit, "At most this many; 0: all");
  };
  CLI::App* all = events->add_subcommand("list", "List them, oldest first");
  filters(all);
  all->add_option("--until", options->until, "Up to here, exclusive");
  all->add_flag("--reverse", options->reverse, "Newest first");
  all->callback([&, options] { chosen.run = [&, options] { return list(context, *options); }; });
  CLI::App* one = events->add_subcommand("show", "One event with its headers and body");
  auto name = std::make_shared<std::string>();
  one->add_option("EVENT", *name, "Its id or offset")->required();
  one->callback([&, name] { chosen.run = [&, name] { return show(context, *name); }; });
  CLI::App* live = events->add_subcommand("tail", "Print events as they arrive");
  filters(live);
  live->callback([&, options] { chosen.run = [&, options] { return tail(context, *options); }; });
  events->add_subcommand("verify", "Read every record and check it")->callback([&] { chosen.run = [&] { return verify(context); }; });
}

}  // namespace hookhost::app
