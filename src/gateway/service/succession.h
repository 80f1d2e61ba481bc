// How a host gets new keys: what its request asked for becomes an invite, by which it enrols anew
// (docs/protocol-v2.md, "New keys").
#pragma once

#include <string>

#include "base/result.h"
#include "gateway/approval/request.h"
#include "gateway/service/desk.h"
#include "protocol/messages.h"

namespace zkv::gateway {

/// Whether an invite can be made for what the request asks for; success where it asks for none. In a
/// transaction. Errors: kConflict (the token is one of an invite that there is or was), kIo.
Result<> check_successor(Store& store, const protocol::RequestMessage& message);

/// Makes that invite, for an hour, in the transaction that releases `request`. Errors: kIo.
Result<> invite_successor(Desk& desk, const Request& request, const Host& host,
                          const protocol::RequestMessage& message);

}  // namespace zkv::gateway
